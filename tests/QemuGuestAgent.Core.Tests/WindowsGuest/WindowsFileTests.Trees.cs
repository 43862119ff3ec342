using System.Text;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Windows;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.WindowsGuest;

// Folders, wildcards and content.
public sealed partial class WindowsFileTests
{
    [Fact]
    public async Task A_tree_goes_there_and_comes_back_with_empty_folders_and_times()
    {
        var time = new DateTime(2021, 1, 2, 3, 4, 5, DateTimeKind.Utc);
        Make("tree/a", Bytes(10));
        Make("tree/-Way", Bytes(20));
        Make("tree/inner/ünï 漢字.txt", Bytes(100_000));
        Directory.CreateDirectory(Here("tree/empty"));
        Directory.SetLastWriteTimeUtc(Here("tree/inner"), time);
        Directory.SetLastWriteTimeUtc(Here("tree"), time);

        await SendAsync(Here("tree"), Folder, Options with { Recurse = true });
        await ReceiveAsync($@"{Folder}\tree", Here("back"), Options with { Recurse = true });

        Assert.Empty(_failures);
        Assert.Empty(_warnings);
        Assert.Equal(6, _copies.Count);
        foreach (var root in new[] { There("tree"), Here("back") })
        {
            AssertSame(Here("tree/a"), $"{root}/a");
            AssertSame(Here("tree/-Way"), $"{root}/-Way");
            AssertSame(Here("tree/inner/ünï 漢字.txt"), $"{root}/inner/ünï 漢字.txt");
            Assert.True(Directory.Exists($"{root}/empty"));
            Assert.Equal(time, Directory.GetLastWriteTimeUtc(root));
            Assert.Equal(time, Directory.GetLastWriteTimeUtc($"{root}/inner"));
        }

        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task An_update_by_checksum_copies_what_has_another_content_and_a_hole_arrives()
    {
        var sparse = Here("tree/sparse");
        Make("tree/a", Bytes(10));
        Make("tree/inner/ü", Bytes(20));
        Make("tree/sparse", [.. Bytes(100_000), .. new byte[1 << 20], 1, .. new byte[200_000]]);
        var options = Options with { Recurse = true, Update = true, Checksum = true };
        await SendAsync(Here("tree"), Folder, options);
        AssertSame(sparse, There("tree/sparse"));

        var time = File.GetLastWriteTimeUtc(Here("tree/a"));
        Make("tree/a", Bytes(11)[1..]);
        File.SetLastWriteTimeUtc(Here("tree/a"), time);
        File.SetLastWriteTimeUtc(Here("tree/inner/ü"), time.AddDays(-1));
        _copies.Clear();
        await SendAsync(Here("tree"), Folder, options);
        await ReceiveAsync($@"{Folder}\tree", _here.FullName, options);

        Assert.Empty(_failures);
        Assert.Equal(Here("tree/a"), Assert.Single(_copies).Source);
        AssertSame(Here("tree/a"), There("tree/a"));
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Many_files_go_there_and_come_back()
    {
        const int count = 100;
        for (var i = 0; i < count; i++)
        {
            Make($"tree/{i / 10}/{i}", Bytes(i));
        }

        var call = new CallOptions { Timeout = TimeSpan.Zero };
        var options = Options with { Recurse = true };
        await GuestItems.SendAsync(Session, [Here("tree")], Folder, options, call, TestEnd);
        await GuestItems.ReceiveAsync(Session, [$@"{Folder}\tree"], true, Here("back"), options, call, TestEnd);

        Assert.Empty(_failures);
        Assert.Equal(2 * count, _copies.Count);
        Assert.All(Enumerable.Range(0, count), i => AssertSame(Here($"tree/{i / 10}/{i}"), Here($"back/{i / 10}/{i}")));
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Wildcards_find_files_in_either_case_but_nothing_hidden()
    {
        foreach (var name in new[] { "a.log", "b.LOG", "c.txt", "[d].log", "hidden.log" })
        {
            await File.WriteAllTextAsync(There(name), name, TestEnd);
        }

        await RunAsync("attrib", "+h", $@"{Folder}\hidden.log");
        await ReceiveAsync($@"{Folder}\*.Log", _here.FullName, isLiteral: false);
        Assert.Empty(_failures);
        Assert.Equal(["[d].log", "a.log", "b.LOG"], _here.EnumerateFiles().Select(file => file.Name).Order(StringComparer.Ordinal));
        Assert.Equal([$@"{Folder}\[d].log"], await GuestContent.FindAsync(Session, $@"{Folder}\`[?`].*", null, TestEnd));
        Assert.Empty(await GuestContent.FindAsync(Session, $@"{Folder}\none*", null, TestEnd));
    }

    [Fact]
    public async Task What_is_not_there_is_an_error()
    {
        await ReceiveAsync($@"{Folder}\none", Here("none"));
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.GuestItemNotFound);
        _failures.Clear();
        await SendAsync(Make("file", Bytes(1)), $@"{Folder}\none\file");
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.GuestItemNotFound);
    }

    [Fact]
    public async Task A_path_that_is_too_long_is_an_error()
    {
        var folder = $@"{Folder}\{new string('x', 100)}";
        Directory.CreateDirectory(Guest.HostPath(folder));
        await SendAsync(Make("file", Bytes(1)), $@"{folder}\{new string('y', 110)}", Options with { OneByOne = true });
        Assert.Contains("259", Assert.Single(_failures).ShouldBe(ErrorCatalogue.GuestFileNotWritten).Message, StringComparison.Ordinal);
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Content_is_written_in_place_and_appended()
    {
        var (path, mark) = ($@"{Folder}\log.txt", Encoding.UTF8.GetPreamble());
        var large = Bytes(300_000);
        await WriteAsync("one\r\n"u8.ToArray(), appends: true);
        await WriteAsync("two\r\n"u8.ToArray(), appends: true);
        AssertContent([.. mark, .. "one\r\ntwo\r\n"u8]);
        await WriteAsync(large, appends: false);
        AssertContent([.. mark, .. large]);
        await WriteAsync([], appends: false);
        AssertContent(mark);
        Assert.Empty(_warnings);
        await using (await OpenAsync(path, "r"))
        {
            await WriteAsync([1], appends: true).FailsWith(ErrorCatalogue.GuestFileInUse);
        }

        void AssertContent(byte[] expected) => Assert.True(expected.AsSpan().SequenceEqual(File.ReadAllBytes(There("log.txt"))));

        Task WriteAsync(byte[] content, bool appends) =>
            GuestContent.WriteAsync(Session, path, content, mark, appends, _warnings.Add, null, TestEnd).OrHang();
    }

    // Wine has no junctions.
    [Theory]
    [InlineData(@"C:\a\b", @"C:\a\b")]
    [InlineData(@"C:\a\link\c", @"C:\other\c")]
    [InlineData(@"C:/a/link", @"C:\other")]
    [InlineData(@"C:\twice\x\y", @"C:\other\x\y")]
    [InlineData(@"C:\unc\x", @"\\server\share\x")]
    [InlineData(@"C:\a\..\unc", @"\\server\share")]
    public async Task Links_on_the_way_to_a_root_are_followed(string path, string expected)
    {
        var answer = await AskAsync($"Resolve-Root '{path}'");
        Assert.Equal(("", expected), (answer.Code, Assert.Single(answer.Fields)));
        answer = await AskAsync($"Assert-NoLink '{path.Replace('/', '\\')}'");
        Assert.Equal(path == expected ? "" : "Replaced", answer.Code);
    }

    [Fact]
    public async Task Links_in_a_circle_are_an_error() => Assert.Equal("Replaced", (await AskAsync(@"Resolve-Root 'C:\circle\x'")).Code);

    [Fact]
    public async Task A_question_may_take_longer_than_a_host_may_be_silent()
    {
        WindowsHelper.Of(Session).Patience = TimeSpan.FromSeconds(3);
        Assert.Equal("", (await AskAsync("Start-Sleep 8")).Code);
    }

    private async Task<HelperAnswer> AskAsync(string script)
    {
        const string links = @"
            function Get-LinkTarget($Path) {
                switch ($Path) {
                    'C:\a\link' { 'C:\other' } 'C:\twice' { 'C:\a\link' } 'C:\unc' { '\\server\share' } 'C:\circle' { 'C:\circle\x' }
                }
            }
            ";
        var time = new OperationTime(TimeProvider.System, null);
        var (helper, reason) = await WindowsHelper.FindAsync(Session, time, TestEnd);
        Assert.Null(reason);
        return await helper!.AskAsync("Invoke-Expression", [links + script], time, TestEnd);
    }
}
