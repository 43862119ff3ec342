using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

// Small files, which go and come together.
public abstract partial class CopyTests
{
    private static readonly string[] StrangeNames =
    [
        " ", "-n", "--", "*", "[a]", "?", "'", "\"", "$(id)", "`id`", "a\\b", "\\n", "a\nb", "a\rb", ".hidden", "..two", "...", "sums", "x", "a:b", "ü€😀",
        new('n', 100), new('n', 101), new('m', 255), new string('ü', 60),
    ];

    [Fact]
    public async Task Small_files_go_and_come_together_each_whole_and_verified()
    {
        var time = new DateTime(2001, 2, 3, 4, 5, 6, Milliseconds, DateTimeKind.Utc);
        for (var i = 0; i < 300; i++)
        {
            var path = MakeLocal($"tree/{i % 3}/{i}", Bytes(i, i));
            File.SetUnixFileMode(path, (UnixFileMode)Convert.ToInt32(i % 2 == 0 ? "640" : "755", 8));
            File.SetLastWriteTimeUtc(path, time);
        }

        var source = Path.Combine(Local, "tree");
        Assert.InRange(await CountProgramsAsync(call => GuestItems.SendAsync(Session, [source], Guest, Options with { Recurse = true }, call, TestEnd)), 1, 6);
        AssertSameTree(source, Path.Combine(Guest, "tree"));
        Assert.Equal(Convert.ToInt32("640", 8), (int)File.GetUnixFileMode(Path.Combine(Guest, "tree/0/0")));
        Assert.Equal(Convert.ToInt32("755", 8), (int)File.GetUnixFileMode(Path.Combine(Guest, "tree/1/1")));
        Assert.Equal(time, File.GetLastWriteTimeUtc(Path.Combine(Guest, "tree/1/1")));

        // What is replaced keeps its mode.
        File.SetUnixFileMode(Path.Combine(Guest, "tree/1/1"), (UnixFileMode)Convert.ToInt32("600", 8));
        File.WriteAllBytes(Path.Combine(source, "1/1"), Bytes(7));
        File.SetLastWriteTimeUtc(Path.Combine(source, "1/1"), time);
        var again = await CountProgramsAsync(call => GuestItems.SendAsync(Session, [source], Guest, Options with { Recurse = true, Force = true }, call, TestEnd));
        Assert.True(again <= (CarriesAttributes ? 6 : int.MaxValue), $"{again} programs ran.");
        AssertSameTree(source, Path.Combine(Guest, "tree"));
        Assert.Equal(Convert.ToInt32("600", 8), (int)File.GetUnixFileMode(Path.Combine(Guest, "tree/1/1")));

        // An empty file may be one that the system makes when it is read: those come alone.
        File.WriteAllText(Path.Combine(Guest, "tree/0/0"), "0");
        var back = Path.Combine(Local, "back");
        Assert.InRange(
            await CountProgramsAsync(call => GuestItems.ReceiveAsync(
                Session, [Path.Combine(Guest, "tree")], true, back, Options with { Recurse = true }, call, TestEnd)),
            1, 3);
        AssertSameTree(Path.Combine(Guest, "tree"), back);
        Assert.Equal(time, File.GetLastWriteTimeUtc(Path.Combine(back, "1/1")));
        Assert.Equal(Convert.ToInt32("600", 8), (int)File.GetUnixFileMode(Path.Combine(back, "2/2")));
        Assert.Equal(Convert.ToInt32("700", 8), (int)File.GetUnixFileMode(Path.Combine(back, "1/7")));
        Assert.Equal(900, _copies.Count);
        Assert.All(_copies, copy => Assert.True((copy.Atomic || !CarriesAttributes) && copy.Verified == CopyVerification.Sha256, $"{copy.Source}: {copy.Verified}"));
        Assert.All(_copies.Skip(600), copy => Assert.Equal(Hash(File.ReadAllBytes(copy.Destination)), copy.Hash));
        Assert.Empty(_failures);
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_small_file_takes_few_programs()
    {
        var source = MakeLocal("file", Bytes(5000));
        Assert.InRange(await CountProgramsAsync(call => GuestItems.SendAsync(Session, [source], Path.Combine(Guest, "new"), Options, call, TestEnd)), 1, 3);
        AssertSame(Bytes(5000), Path.Combine(Guest, "new"));
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Names_are_no_more_than_names()
    {
        var source = Path.Combine(Local, "tree");
        foreach (var name in StrangeNames)
        {
            MakeLocal($"tree/{name}", Bytes(10 + name.Length, name.Length));
            MakeLocal($"tree/folder {(name.Length > 90 ? name[..90] : name)}/{name}", Bytes(20 + name.Length, name.Length));
        }

        await SendAsync(source, Guest, Options with { Recurse = true });
        AssertSameTree(source, Path.Combine(Guest, "tree"));
        await ReceiveAsync(Path.Combine(Guest, "tree"), Path.Combine(Local, "back"), Options with { Recurse = true });
        AssertSameTree(source, Path.Combine(Local, "back"));
        Assert.Equal(4 * StrangeNames.Length, _copies.Count);
        Assert.Empty(_failures);
        await AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData("2755", "755")]
    [InlineData("755", "2755")]
    public async Task New_files_get_the_group_that_their_own_folder_says(string rootMode, string innerMode)
    {
        Assert.SkipUnless(Run("chgrp", "65534", Guest) == 0, "This process may not give a folder to another group.");
        File.SetUnixFileMode(Guest, (UnixFileMode)Convert.ToInt32(rootMode, 8));
        var inner = Directory.CreateDirectory(Path.Combine(Guest, "tree/inner")).FullName;
        Assert.Equal(0, Run("chgrp", "65533", inner));
        File.SetUnixFileMode(inner, (UnixFileMode)Convert.ToInt32(innerMode, 8));
        File.SetUnixFileMode(Path.Combine(Guest, "tree"), (UnixFileMode)Convert.ToInt32("755", 8));
        MakeLocal("tree/inner/file", Bytes(10));
        File.WriteAllText(Path.Combine(inner, "expected"), "");
        await SendAsync(Path.Combine(Local, "tree"), Guest, Options with { Recurse = true });
        Assert.Empty(_failures);
        Assert.Equal(GroupOf(Path.Combine(inner, "expected")), GroupOf(Path.Combine(inner, "file")));
    }

    [Fact]
    public async Task Two_names_of_one_file_come_as_two_files()
    {
        MakeGuest("tree/one", Bytes(100));
        Assert.Equal(0, Run("ln", Path.Combine(Guest, "tree/one"), Path.Combine(Guest, "tree/two")));
        await ReceiveAsync(Path.Combine(Guest, "tree"), Path.Combine(Local, "back"), Options with { Recurse = true });
        AssertSameTree(Path.Combine(Guest, "tree"), Path.Combine(Local, "back"));
        Assert.Equal(2, _copies.Count);
    }

    [Fact]
    public async Task What_a_dead_copy_left_of_its_pack_is_removed_and_that_of_a_live_one_is_not()
    {
        string MakeLeft(string name, string random, int process)
        {
            var folder = Path.Combine(Guest, $".{name}.{random}.partial");
            Make(Path.Combine(folder, "x/0/file"), Bytes(10));
            Make(Path.Combine(folder, $"{process}.pid"), []);
            File.SetUnixFileMode(folder, (UnixFileMode)Convert.ToInt32("700", 8));
            return folder;
        }

        var dead = MakeLeft("tree", "0123456789abcdef", int.MaxValue);
        var deadOfNext = MakeLeft("next", "0123456789abcdef", int.MaxValue);
        var live = MakeLeft("tree", "fedcba9876543210", Environment.ProcessId);
        MakeLocal("tree/file", Bytes(10));
        MakeLocal("next/file", Bytes(10));
        string[] sources = [Path.Combine(Local, "tree"), Path.Combine(Local, "next")];
        await GuestItems.SendAsync(Session, sources, Guest, Options with { Recurse = true }, null, TestEnd).OrHang();
        Assert.False(Directory.Exists(dead));
        Assert.False(Directory.Exists(deadOfNext));
        Assert.True(File.Exists(Path.Combine(live, "x/0/file")));
        Directory.Delete(live, recursive: true);
        await AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_update_copies_only_what_is_not_there_with_the_same_length_and_time(bool sends)
    {
        var (from, to) = sends ? (Local, Guest) : (Guest, Local);
        var source = MakeTree(Path.Combine(from, "tree"));
        Make(Path.Combine(source, "large"), Bytes(300_000));
        var unchanged = new List<string>();
        var options = Options with { Recurse = true, Update = true, Unchanged = unchanged.Add };
        Task CopyAsync() => sends ? SendAsync(source, to, options) : ReceiveAsync(source, to, options);
        await CopyAsync();
        Assert.Equal(TreeNames.Length + 1, _copies.Count);
        Assert.Empty(unchanged);

        await CopyAsync();
        Assert.Equal(TreeNames.Length + 1, _copies.Count);
        Assert.Equal(TreeNames.Length + 1, unchanged.Count);

        File.WriteAllBytes(Path.Combine(source, "a"), Bytes(9, 9));
        File.SetLastWriteTimeUtc(Path.Combine(source, "x/y/z"), new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));
        File.WriteAllBytes(Path.Combine(source, "new"), Bytes(5, 5));
        var large = File.GetLastWriteTimeUtc(Path.Combine(source, "large"));
        File.WriteAllBytes(Path.Combine(source, "large"), Bytes(300_000, 2));
        File.SetLastWriteTimeUtc(Path.Combine(source, "large"), large.AddSeconds(2));
        unchanged.Clear();
        await CopyAsync();
        Assert.Equal(TreeNames.Length + 1 + 4, _copies.Count);
        Assert.Equal(TreeNames.Length + 1 - 3, unchanged.Count);
        AssertSameTree(source, Path.Combine(to, "tree"));
        Assert.Empty(_failures);
        await AssertNothingLeftAsync();
    }

    private static string GroupOf(string path) => FileState.Of(path).Split(' ', ':')[1];

    private static async Task<int> CountProgramsAsync(Func<CallOptions, Task> copy)
    {
        var programs = 0;
        await copy(new CallOptions
        {
            Timeout = TimeSpan.Zero,
            Trace = happened => programs += happened.Kind == TraceKind.Sent && happened.Text.Contains("\"guest-exec\"", StringComparison.Ordinal) ? 1 : 0,
        }).OrHang();
        return programs;
    }
}
