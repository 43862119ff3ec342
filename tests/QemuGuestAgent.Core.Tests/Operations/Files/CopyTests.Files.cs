using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Files;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

// Single files, of all lengths and names.
public abstract partial class CopyTests
{
    private const int Piece = PieceSize.Min;

    public static TheoryData<int> Lengths => [0, 1, 4095, 4096, 4097, Piece - 1, Piece, Piece + 1, 5_000_001];

    public static TheoryData<string> Names =>
    [
        "plain", "with blanks  in it", "quotes ' \" `", "ünïcödé 漢字 😀", "-dash", "--", "new\nline", "back\\slash", "$(id) ;& *?[a]",
        ".hidden", "colon:name", new string('l', 255), new string('ü', 127),
    ];

    [Theory]
    [MemberData(nameof(Lengths))]
    public async Task A_file_of_any_length_is_sent(int length)
    {
        var content = Bytes(length);
        var source = MakeLocal("source", content);
        var target = Path.Combine(Guest, "target");
        await SendAsync(source, target);
        AssertSame(content, target);
        var copy = Assert.Single(_copies);
        Assert.Equal((source, target, length, Hash(content)), (copy.Source, copy.Destination, copy.Length, copy.Hash));
        Assert.Equal((CopyVerification.Sha256, true, 0), (copy.Verified, copy.Atomic, copy.Resumed));
        Assert.True(copy.Duration > TimeSpan.Zero);
        Assert.Empty(_warnings);
        Assert.Empty(_failures);
        await AssertNothingLeftAsync();
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public async Task A_file_of_any_length_is_received(int length)
    {
        var content = Bytes(length);
        var source = MakeGuest("source", content);
        var target = Path.Combine(Local, "target");
        await ReceiveAsync(source, target);
        AssertSame(content, target);
        var copy = Assert.Single(_copies);
        Assert.Equal((source, target, length, Hash(content)), (copy.Source, copy.Destination, copy.Length, copy.Hash));
        Assert.Equal((CopyVerification.Sha256, true, 0), (copy.Verified, copy.Atomic, copy.Resumed));
        Assert.Empty(_warnings);
        Assert.Empty(_failures);
        await AssertNothingLeftAsync();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_file_of_any_name_goes_there_and_comes_back(string name)
    {
        var content = Bytes(1000);
        await SendAsync(MakeLocal(name, content), Guest);
        AssertSame(content, Path.Combine(Guest, name));
        var back = Directory.CreateDirectory(Path.Combine(Local, "back")).FullName;
        await ReceiveAsync(Path.Combine(Guest, name), back, isLiteral: true);
        AssertSame(content, Path.Combine(back, name));
        Assert.Equal(2, _copies.Count);
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Mode_and_time_are_carried_there()
    {
        var source = MakeLocal("script", Bytes(10));
        var time = new DateTime(2001, 2, 3, 4, 5, 6, Milliseconds, DateTimeKind.Utc);
        File.SetUnixFileMode(source, (UnixFileMode)Convert.ToInt32("751", 8));
        File.SetLastWriteTimeUtc(source, time);
        var target = Path.Combine(Guest, "script");
        await SendAsync(source, target);
        Assert.Equal(Convert.ToInt32("751", 8), (int)File.GetUnixFileMode(target));
        Assert.Equal(time, File.GetLastWriteTimeUtc(target));
    }

    [Fact]
    public async Task What_comes_is_for_its_owner_only_and_keeps_its_time()
    {
        var source = MakeGuest("script", Bytes(10));
        var time = new DateTime(2001, 2, 3, 4, 5, 6, Milliseconds, DateTimeKind.Utc);
        File.SetUnixFileMode(source, (UnixFileMode)Convert.ToInt32("6777", 8));
        File.SetLastWriteTimeUtc(source, time);
        await ReceiveAsync(source, Local);
        var target = Path.Combine(Local, "script");
        Assert.Equal(Convert.ToInt32("700", 8), (int)File.GetUnixFileMode(target));
        Assert.Equal(time, File.GetLastWriteTimeUtc(target));
        File.SetUnixFileMode(source, (UnixFileMode)Convert.ToInt32("644", 8));
        await ReceiveAsync(source, target + ".new");
        Assert.Equal(Convert.ToInt32("600", 8), (int)File.GetUnixFileMode(target + ".new"));
        File.SetUnixFileMode(target, (UnixFileMode)Convert.ToInt32("640", 8));
        await ReceiveAsync(source, target, Options with { Force = true });
        Assert.Equal(Convert.ToInt32("640", 8), (int)File.GetUnixFileMode(target));
    }

    [Fact]
    public async Task What_is_there_stays_without_force()
    {
        var (old, young) = (Bytes(10), Bytes(20, 2));
        var (local, guest) = (MakeLocal("file", young), MakeGuest("file", old));
        await SendAsync(local, Guest);
        AssertFailed(ErrorCatalogue.ItemExists);
        AssertSame(old, guest);
        await SendAsync(local, Guest, Options with { Force = true });
        AssertSame(young, guest);
        File.WriteAllBytes(guest, old);
        _copies.Clear();
        _failures.Clear();
        await ReceiveAsync(guest, Local);
        AssertFailed(ErrorCatalogue.ItemExists);
        AssertSame(young, local);
        await ReceiveAsync(guest, Local, Options with { Force = true });
        AssertSame(old, local);
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_file_of_proc_is_read_to_its_end()
    {
        await ReceiveAsync("/proc/version", Local);
        AssertSame(File.ReadAllBytes("/proc/version"), Path.Combine(Local, "version"));
        Assert.Equal(CopyVerification.None, Assert.Single(_copies).Verified);
    }

    [Fact]
    public async Task Progress_tells_all_bytes()
    {
        var told = new List<ItemCopyProgress>();
        var source = MakeLocal("source", Bytes(300_000));
        await SendAsync(source, Guest, Options with { Progress = told.Add });
        Assert.Equal(new ItemCopyProgress(source, 300_000, 300_000, 0, 1), told[^1]);
        Assert.True(told.Count > 2);
        told.Clear();
        await ReceiveAsync(Path.Combine(Guest, "source"), Path.Combine(Local, "back"), Options with { Progress = told.Add });
        Assert.Equal((300_000, 300_000), (told[^1].Bytes, told[^1].TotalBytes));
    }
}
