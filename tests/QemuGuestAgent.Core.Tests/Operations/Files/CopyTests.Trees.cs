using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

// Folders, wildcards and links.
public abstract partial class CopyTests
{
    private static readonly string[] TreeNames = ["a", "sub dir/b", "sub dir/.hidden", "sub dir/deep/c\nd", "sub dir/deep/ü", "x/y/z"];

    [Fact]
    public async Task A_tree_goes_there_and_comes_back()
    {
        var source = MakeTree(Path.Combine(Local, "tree"));
        Directory.CreateDirectory(Path.Combine(source, "empty"));
        File.SetUnixFileMode(Path.Combine(source, "x"), (UnixFileMode)Convert.ToInt32("750", 8));
        var time = new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc);
        Directory.SetLastWriteTimeUtc(Path.Combine(source, "x"), time);
        await SendAsync(source, Guest, Options with { Recurse = true });
        var sent = Path.Combine(Guest, "tree");
        AssertSameTree(source, sent);
        Assert.Equal(Convert.ToInt32("750", 8), (int)File.GetUnixFileMode(Path.Combine(sent, "x")));
        Assert.Equal(time, Directory.GetLastWriteTimeUtc(Path.Combine(sent, "x")));
        var back = Path.Combine(Local, "back");
        await ReceiveAsync(sent, back, Options with { Recurse = true });
        AssertSameTree(source, back);
        Assert.Equal(time, Directory.GetLastWriteTimeUtc(Path.Combine(back, "x")));
        Assert.Equal(Convert.ToInt32("700", 8), (int)File.GetUnixFileMode(Path.Combine(back, "x")));
        Assert.Equal(2 * TreeNames.Length, _copies.Count);
        Assert.Empty(_failures);
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Of_many_files_each_is_there()
    {
        var source = Path.Combine(Local, "many");
        for (var i = 0; i < 25; i++)
        {
            MakeLocal($"many/{i % 7}/{i}", Bytes(i, i));
        }

        await SendAsync(source, Guest, Options with { Recurse = true });
        await ReceiveAsync(Path.Combine(Guest, "many"), Path.Combine(Local, "back"), Options with { Recurse = true });
        AssertSameTree(source, Path.Combine(Local, "back"));
        Assert.Equal(50, _copies.Count);
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_tree_goes_into_one_that_is_there_and_replaces_with_force_only()
    {
        var source = MakeTree(Path.Combine(Local, "tree"));
        MakeGuest("tree/a", Bytes(5, 99));
        MakeGuest("tree/other", Bytes(6));
        await SendAsync(source, Guest, Options with { Recurse = true });
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.ItemExists);
        AssertSame(Bytes(5, 99), Path.Combine(Guest, "tree/a"));
        Assert.Equal(TreeNames.Length - 1, _copies.Count);
        await SendAsync(source, Guest, Options with { Recurse = true, Force = true });
        AssertSame(File.ReadAllBytes(Path.Combine(source, "a")), Path.Combine(Guest, "tree/a"));
        AssertSame(Bytes(6), Path.Combine(Guest, "tree/other"));
    }

    [Fact]
    public async Task Without_recurse_a_folder_is_sent_alone_and_does_not_come()
    {
        await SendAsync(MakeTree(Path.Combine(Local, "tree")), Guest);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(Guest, "tree")));
        Assert.Empty(_failures);
        await ReceiveAsync(MakeTree(Path.Combine(Guest, "other")), Local);
        AssertFailed(ErrorCatalogue.ItemNeedsRecurse);
        Assert.False(Directory.Exists(Path.Combine(Local, "other")));
    }

    [Fact]
    public async Task What_is_sent_goes_through_no_link_of_the_guest_below_the_folder_that_was_named()
    {
        var outside = Directory.CreateDirectory(Agent.GuestPath("outside")).FullName;
        MakeLocal("tree/sub/file", Bytes(5));
        MakeGuest("tree/other", Bytes(5));
        Directory.CreateSymbolicLink(Path.Combine(Guest, "tree/sub"), outside);
        await SendAsync(Path.Combine(Local, "tree"), Guest, Options with { Recurse = true });
        AssertFailed(ErrorCatalogue.ItemReplaced);
        Assert.Empty(Directory.EnumerateFileSystemEntries(outside));
    }

    [Fact]
    public async Task A_file_keeps_the_group_of_its_folder()
    {
        Assert.SkipUnless(Run("chgrp", "65534", Guest) == 0, "This process may not give a folder to another group.");
        File.SetUnixFileMode(Guest, (UnixFileMode)Convert.ToInt32("2755", 8));
        await SendAsync(MakeLocal("file", Bytes(5)), Guest);
        Assert.Equal(0, Run("/bin/sh", "-c", """[ "$(stat -c %g "$0")" = 65534 ]""", Path.Combine(Guest, "file")));
        await AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData("f*", "f1", "f2", "fX")]
    [InlineData("f?", "f1", "f2", "fX")]
    [InlineData("f[12]", "f1", "f2")]
    [InlineData("[f-g]1", "f1")]
    [InlineData("star`*", "star*")]
    [InlineData("st*`**", "star*")]
    [InlineData("b\\s", "b\\s")]
    [InlineData("b\\?", "b\\s")]
    [InlineData("two `[1`] *", "two [1] words")]
    [InlineData("none*")]
    [InlineData("*/in?", "inn")]
    public async Task Wildcards_find_what_they_find_here(string pattern, params string[] expected)
    {
        foreach (var name in new[] { "f1", "f2", "fX", "star*", "starry", "b\\s", "bts", "two [1] words", "dir/inn", ".hidden" })
        {
            MakeGuest(name, Bytes(3));
        }

        await ReceiveAsync(Path.Combine(Guest, pattern), Local, Options);
        Assert.Equal(expected.Order(), Directory.EnumerateFiles(Local).Select(file => Path.GetFileName(file)).Order());
        Assert.Empty(_failures);
    }

    [Fact]
    public async Task Links_in_a_tree_are_not_followed_and_told_of()
    {
        MakeGuest("outside/secret", Bytes(4));
        MakeGuest("tree/file", Bytes(5));
        File.CreateSymbolicLink(Path.Combine(Guest, "tree/link"), Path.Combine(Guest, "outside/secret"));
        File.CreateSymbolicLink(Path.Combine(Guest, "tree/broken"), "/no/such/file");
        Directory.CreateSymbolicLink(Path.Combine(Guest, "tree/folder"), Path.Combine(Guest, "outside"));
        await ReceiveAsync(Path.Combine(Guest, "tree"), Local, Options with { Recurse = true });
        Assert.Equal(["file"], Directory.EnumerateFileSystemEntries(Path.Combine(Local, "tree")).Select(Path.GetFileName));
        Assert.Equal(3, _warnings.Count);
        Assert.Empty(_failures);
    }

    [Fact]
    public async Task A_link_that_is_named_is_followed()
    {
        MakeGuest("real/file", Bytes(5));
        File.CreateSymbolicLink(Path.Combine(Guest, "file"), Path.Combine(Guest, "real/file"));
        Directory.CreateSymbolicLink(Path.Combine(Guest, "folder"), Path.Combine(Guest, "real"));
        await ReceiveAsync(Path.Combine(Guest, "file"), Local);
        await ReceiveAsync(Path.Combine(Guest, "folder"), Local, Options with { Recurse = true });
        AssertSame(Bytes(5), Path.Combine(Local, "file"));
        AssertSame(Bytes(5), Path.Combine(Local, "folder/file"));
        MakeLocal("sent/file", Bytes(6));
        Directory.CreateSymbolicLink(Path.Combine(Local, "sent/loop"), Local);
        await SendAsync(Path.Combine(Local, "sent"), Path.Combine(Guest, "folder"), Options with { Recurse = true });
        AssertSame(Bytes(6), Path.Combine(Guest, "real/sent/file"));
        Assert.Single(_warnings);
        Assert.Empty(_failures);
    }

    [Fact]
    public async Task What_comes_never_goes_through_a_link_in_the_tree_here()
    {
        var outside = Directory.CreateDirectory(Agent.GuestPath("outside")).FullName;
        MakeGuest("tree/sub/file", Bytes(5));
        Directory.CreateDirectory(Path.Combine(Local, "tree"));
        Directory.CreateSymbolicLink(Path.Combine(Local, "tree/sub"), outside);
        await ReceiveAsync(Path.Combine(Guest, "tree"), Local, Options with { Recurse = true });
        Assert.Empty(Directory.EnumerateFileSystemEntries(outside));
        Assert.NotEmpty(_failures);
        Assert.Empty(_copies);
    }

    [Fact]
    public async Task Many_items_need_a_folder_that_is_there()
    {
        var sources = new[] { MakeLocal("a", Bytes(1)), MakeLocal("b", Bytes(2)) };
        await GuestItems.SendAsync(Session, sources, Path.Combine(Guest, "none"), Options, null, TestEnd)
            .FailsWith(ErrorCatalogue.GuestItemNotFound);
        await SendAsync(sources[0], Path.Combine(Guest, "none/")).FailsWith(ErrorCatalogue.GuestItemNotFound);
        MakeGuest("a", Bytes(1));
        MakeGuest("b", Bytes(2));
        await ReceiveAsync(Path.Combine(Guest, "[ab]"), Path.Combine(Local, "none")).FailsWith(ErrorCatalogue.LocalFileNotWritten);
        await GuestItems.SendAsync(Session, sources, Guest, Options with { Force = true }, null, TestEnd);
        Assert.Equal(2, _copies.Count);
    }

    private static string MakeTree(string root)
    {
        for (var i = 0; i < TreeNames.Length; i++)
        {
            Make(Path.Combine(root, TreeNames[i]), Bytes(i * 1000, i));
        }

        return root;
    }

    private static void AssertSameTree(string expected, string actual)
    {
        static IEnumerable<string> Entries(string root) => Directory
            .EnumerateFileSystemEntries(root, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
            .Select(entry => Path.GetRelativePath(root, entry)).Order(StringComparer.Ordinal);
        Assert.Equal(Entries(expected), Entries(actual));
        foreach (var name in Entries(expected).Where(name => File.Exists(Path.Combine(expected, name))))
        {
            AssertSame(File.ReadAllBytes(Path.Combine(expected, name)), Path.Combine(actual, name));
        }
    }
}
