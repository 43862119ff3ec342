using System.Diagnostics;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

// What is in files: compared, with holes, or running.
public abstract partial class CopyTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_update_by_checksum_copies_what_has_another_content_and_nothing_else(bool sends)
    {
        var (from, to) = sends ? (Local, Guest) : (Guest, Local);
        var source = MakeTree(Path.Combine(from, "tree"));
        var large = Make(Path.Combine(source, "large"), Bytes(300_000));
        await CopyTreeAsync(sends, source, to, Options);
        _copies.Clear();

        // One with another content, length and time the same; one with another time alone; one that is longer.
        var changed = Path.Combine(source, "x/y/z");
        var time = File.GetLastWriteTimeUtc(changed);
        File.WriteAllBytes(changed, Bytes((int)new FileInfo(changed).Length, 77));
        File.SetLastWriteTimeUtc(changed, time);
        File.SetLastWriteTimeUtc(large, time.AddDays(-1));
        File.AppendAllText(Path.Combine(source, "a"), "more");
        var unchanged = new List<string>();
        await CopyTreeAsync(sends, source, to, Options with { Update = true, Checksum = true, Unchanged = unchanged.Add });
        Assert.Empty(_failures);
        Assert.Equal([Path.Combine(source, "a"), changed], _copies.Select(copy => copy.Source).Order(StringComparer.Ordinal));
        Assert.Equal(TreeNames.Length - 1, unchanged.Count);
        Assert.Contains(large, unchanged);
        AssertSameTree(source, Path.Combine(to, "tree"));

        // A file that is named alone.
        var copy = Path.Combine(to, "tree/large");
        var options = Options with { Update = true, Checksum = true };
        await (sends ? SendAsync(large, copy, options) : ReceiveAsync(large, copy, options, isLiteral: true));
        Assert.Equal(2, _copies.Count);
        await AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Holes_stay_holes(bool sends)
    {
        var (from, to) = sends ? (Local, Guest) : (Guest, Local);
        const int mega = 1 << 20;
        var source = Make(Path.Combine(from, "sparse"), []);
        using (var file = File.OpenWrite(source))
        {
            file.Write(Bytes(100_000));
            file.Position = 5 * mega;
            file.Write(Bytes(70_000, 2));
            file.SetLength((8 * mega) + 5);
        }

        Assert.SkipUnless(BlocksOf(source) < mega / 512, "The file system here keeps no holes.");
        await (sends ? SendAsync(source, to) : ReceiveAsync(source, to));
        Assert.Empty(_failures);
        AssertSame(File.ReadAllBytes(source), Path.Combine(to, "sparse"));
        Assert.InRange(BlocksOf(Path.Combine(to, "sparse")), 1, 4 * mega / 512);
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_program_that_runs_is_replaced_or_the_error_says_what_to_do()
    {
        var program = MakeGuest("program", File.ReadAllBytes("/bin/sleep"));
        File.SetUnixFileMode(program, (UnixFileMode)Convert.ToInt32("755", 8));
        using var running = Process.Start(program, "1000");
        try
        {
            await SendAsync(MakeLocal("program", Bytes(10)), Guest, Options with { Force = true });
            if (CarriesAttributes)
            {
                AssertSame(Bytes(10), program);
            }
            else
            {
                Assert.Contains("it is a program that runs", AssertFailed(ErrorCatalogue.GuestFileNotWritten).Message, StringComparison.Ordinal);
                AssertSame(File.ReadAllBytes("/bin/sleep"), program);
            }
        }
        finally
        {
            running.Kill();
        }

        await AssertNothingLeftAsync();
    }

    private static long BlocksOf(string path)
    {
        using var stat = Process.Start(new ProcessStartInfo("stat", ["-c", "%b", path]) { RedirectStandardOutput = true })!;
        return long.Parse(stat.StandardOutput.ReadToEnd(), System.Globalization.CultureInfo.InvariantCulture);
    }
}
