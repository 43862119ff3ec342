using System.Text.RegularExpressions;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Windows;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

/// <summary>Copies to and from a Windows guest, as this side decides them.</summary>
public sealed class WindowsCopyTests : IDisposable
{
    private readonly DirectoryInfo _here = Directory.CreateTempSubdirectory("windows-copy-");
    private readonly FakeWindowsGuest _guest = new();
    private readonly List<ItemCopy> _copies = [];
    private readonly List<string> _warnings = [];
    private readonly List<GuestAgentException> _failures = [];

    // Those of many files are in WindowsPackTests.
    private ItemCopyOptions Options => new()
    {
        OneByOne = true,
        Copied = copy =>
        {
            _copies.Add(copy);
            return Task.CompletedTask;
        },
        Warn = _warnings.Add,
        Failed = _failures.Add,
    };

    public static TheoryData<string> Forbidden =>
        ["NUL", "con.txt", "a.", "b ", "a:stream", "a?", "a*", "a|b", "a<b", "a\"b", "COM1.log", "tab\tbed"];

    public void Dispose() => _here.Delete(recursive: true);

    [Fact]
    public async Task A_file_is_made_opened_looked_at_and_given_its_place()
    {
        await SendAsync(Make("file", "content"), @"C:\in");
        Assert.Equal(["Get-ItemList", "r NUL", "Start-Part", @"r+ C:\in\.file.", "Test-OpenPart", "Complete-Part"], Happened());
        Assert.Equal("content"u8, _guest.Files[@"C:\in\file"]);
        Assert.Equal((@"C:\in\file", true, CopyVerification.Sha256), (_copies[0].Destination, _copies[0].Atomic, _copies[0].Verified));
        AssertNothingLeft();
    }

    [Fact]
    public async Task A_file_that_is_there_stays_without_force()
    {
        _guest.Files[@"C:\in\file"] = "old"u8.ToArray();
        await SendAsync(Make("file", "new"), @"C:\in");
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.ItemExists);
        await SendAsync(Make("file", "new"), @"C:\in", Options with { Force = true });
        Assert.Equal("new"u8, _guest.Files[@"C:\in\file"]);
        AssertNothingLeft();
    }

    [Fact]
    public async Task What_the_agent_has_opened_must_be_the_part()
    {
        _guest.Lies["Test-OpenPart"] = new HelperAnswer("Replaced", ["another"]);
        await SendAsync(Make("file", "content"), @"C:\in");
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.ItemReplaced);
        AssertNothingLeft();
        Assert.Empty(_guest.Files);
    }

    [Fact]
    public async Task Folders_are_made_first_and_get_their_times_last()
    {
        Make("tree/inner/file", "content");
        Directory.CreateDirectory(Here("tree/empty"));
        await SendAsync(Here("tree"), @"C:\in", Options with { Recurse = true });
        Assert.Empty(_failures);
        Assert.Superset(
            new HashSet<string> { @"C:\in\tree", @"C:\in\tree\inner", @"C:\in\tree\empty" }, new HashSet<string>(_guest.Folders));
        Assert.Equal(@"tree\inner", _guest.Asked["Start-Part"][1]);
        Assert.Equal("content"u8, _guest.Files[@"C:\in\tree\inner\file"]);
        Assert.Equal("New-FolderList", Happened()[1]);
        Assert.Equal("Set-FolderTime", Happened()[^1]);
        Assert.Equal(@"tree", _guest.Asked["Set-FolderTime"][^2]);
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task A_name_that_Windows_forbids_is_refused_before_anything_is_sent(string name)
    {
        foreach (var destination in new[] { $@"C:\in\{name}", $@"C:\{name}\file", $@"\\server\{name}\file" })
        {
            var failure = await SendAsync(Make("file", "content"), destination).FailsWith(ErrorCatalogue.GuestNameForbidden);
            Assert.Contains(name.Split('\t')[0], failure.Message, StringComparison.Ordinal);
        }

        if (!name.Contains('*') && !name.Contains('?'))
        {
            await ReceiveAsync($@"C:\in\{name}", isLiteral: false);
            Assert.Single(_failures).ShouldBe(ErrorCatalogue.GuestNameForbidden);
        }

        Assert.Empty(_guest.Happened);
    }

    [Theory]
    [InlineData(@"\\.\pipe\x")]
    [InlineData(@"\\?\C:\in")]
    [InlineData(@"\\.\PhysicalDrive0")]
    [InlineData(@"\\.\C:\in")]
    public async Task A_path_of_a_device_is_refused(string path)
    {
        await SendAsync(Make("file", "content"), path).FailsWith(ErrorCatalogue.GuestNameForbidden);
        using var session = await _guest.ConnectAsync();
        await GuestContent.ReadBytesAsync(
            session, path, new ContentRange(), _ => Task.CompletedTask, null, TestContext.Current.CancellationToken)
            .FailsWith(ErrorCatalogue.GuestNameForbidden);
        Assert.Empty(_guest.Happened);
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task A_name_in_a_tree_that_Windows_forbids_is_told_of_and_the_others_are_sent(string name)
    {
        Make($"tree/{name}", "content");
        Make("tree/good", "good");
        Make($"tree/x/{name}/inner", "content");
        await SendAsync(Here("tree"), @"C:\in", Options with { Recurse = true });
        Assert.Equal(2, _failures.Count);
        Assert.All(_failures, failure => failure.ShouldBe(ErrorCatalogue.GuestNameForbidden));
        Assert.Equal([@"C:\in\tree\good"], _guest.Files.Keys);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("f x 1 0 C:\\in\\file")]
    [InlineData("f 3 1 0 C:\\in\\other")]
    [InlineData("f 3 1 0 D:\\in\\file")]
    [InlineData("f 3 1 0 \\\\server\\in\\file")]
    [InlineData("d 0 1 0 C:\\in\\file|f 3 1 0 C:\\in\\file\\x")]
    [InlineData("f 3 1 0 C:\\in\\file||f 3 1 0 C:\\Users\\me\\ntuser.dat")]
    [InlineData("f 3 1 0 C:\\in\\file|f 3 1 0 C:\\in\\file")]
    [InlineData("f 3 1 0 C:\\in\\x\\..\\file")]
    public async Task A_list_of_what_was_not_asked_for_is_an_error(string list)
    {
        _guest.Lies["Get-ItemList"] = new HelperAnswer("", ["", .. list.Split('|')]);
        await ReceiveAsync(@"C:\in\file");
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.GuestFileNotRead);
        Assert.Empty(_here.EnumerateFileSystemInfos());
    }

    [Theory]
    [InlineData(@"..")]
    [InlineData(@"..\..\outside")]
    [InlineData(@"../../outside")]
    [InlineData(@"sub\..\..\outside")]
    [InlineData(@"sub\")]
    [InlineData("sub\\a\uFFFDb")]
    [InlineData(@"never\made")]
    public async Task No_name_in_a_folder_leads_out_of_it(string name)
    {
        _guest.Lies["Get-ItemList"] = new HelperAnswer(
            "", ["", @"d 0 1 0 C:\in\tree", @"d 0 1 0 C:\in\tree\sub", $@"f 3 1 0 C:\in\tree\{name}"]);
        await ReceiveAsync(@"C:\in\tree", recurses: true);
        Assert.NotEmpty(_failures);
        Assert.Equal(["tree", "sub"], _here.EnumerateFileSystemInfos("*", SearchOption.AllDirectories).Select(item => item.Name));
    }

    [Theory]
    [InlineData(@"C:\a\*", @"C:\a\b", true)]
    [InlineData(@"c:/A/*.LOG", @"c:\A\b.log", true)]
    [InlineData(@"C:\a\*", @"C:\a\.b", true)]
    [InlineData(@"C:\a\*", @"C:\a\b\c", false)]
    [InlineData(@"C:\a\*", @"C:\a\b/c", false)]
    [InlineData(@"C:\a\*", @"D:\a\b", false)]
    [InlineData(@"C:\*\b", @"C:\x\b", true)]
    [InlineData(@"C:\a\[!b]", @"C:\a\!", true)]
    [InlineData(@"C:\a\[!b]", @"C:\a\c", false)]
    [InlineData(@"C:\a\[b-d]x", @"C:\a\Cx", true)]
    [InlineData(@"C:\a\`[b`]*", @"C:\a\[b]c", true)]
    [InlineData(@"C:\a\?", @"C:\a\bc", false)]
    [InlineData(@"\\server\share\*", @"\\server\share\x", true)]
    [InlineData(@"\\server\share\*", @"\\other\share\x", false)]
    public void What_a_Windows_guest_finds_matches_here(string pattern, string path, bool matches) =>
        Assert.Equal(matches, GuestPattern.WindowsMatcher(pattern).IsMatch(path));

    [Theory]
    [InlineData("InUse", "GuestFileInUse")]
    [InlineData("Differs", "ItemNotVerified")]
    [InlineData("NotFile", "ItemNotFile")]
    [InlineData("IsFolder", "ItemIsFolder")]
    [InlineData("NoFolder", "GuestItemNotFound")]
    [InlineData("Failed", "GuestFileNotWritten")]
    [InlineData("Anything", "GuestFileNotWritten")]
    public async Task What_the_helper_says_is_an_error_and_leaves_nothing(string code, string id)
    {
        _guest.Lies["Complete-Part"] = new HelperAnswer(code, ["This is why."]);
        await SendAsync(Make("file", "content"), @"C:\in");
        Assert.Equal($"{id}", Assert.Single(_failures).ErrorId);
        Assert.Empty(_guest.Files);
        AssertNothingLeft();
    }

    [Fact]
    public async Task What_an_answer_lacks_is_an_error()
    {
        _guest.Lies["Start-Part"] = new HelperAnswer("", []);
        await SendAsync(Make("file", "content"), @"C:\in");
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.GuestFileNotWritten);
    }

    [Fact]
    public async Task A_path_that_is_too_long_for_the_agent_is_refused()
    {
        var folder = @"C:\" + new string('x', 100);
        _guest.Folders.Add(folder);
        await SendAsync(Make("file", "content"), $@"{folder}\{new string('y', 120)}");
        Assert.Contains("259", Assert.Single(_failures).ShouldBe(ErrorCatalogue.GuestFileNotWritten).Message, StringComparison.Ordinal);
        Assert.Empty(_guest.Files);
    }

    [Fact]
    public async Task What_a_killed_copy_left_is_closed_and_removed_by_the_next_one()
    {
        var left = Leave("file", "half");
        await SendAsync(Make("file", "whole"), @"C:\in");
        Assert.Empty(_failures);
        Assert.Equal([@"C:\in\file"], _guest.Files.Keys);
        Assert.DoesNotContain(left, _guest.Open);
        AssertNothingLeft();
    }

    [Fact]
    public async Task Resume_goes_on_with_it()
    {
        Leave("file", "who");
        await SendAsync(Make("file", "whole"), @"C:\in", Options with { Resume = true });
        Assert.Empty(_failures);
        Assert.Equal(3, _copies[0].Resumed);
        Assert.Equal("whole"u8, _guest.Files[@"C:\in\file"]);
        AssertNothingLeft();
    }

    [Fact]
    public async Task Where_another_client_opens_a_file_in_between_the_part_s_handle_is_told()
    {
        using var session = await _guest.ConnectAsync();
        var job = _guest.Job(session, Options);
        await job.NextHandleAsync("NUL");
        _guest.OpenFor("other");
        await new TreeSender(job).SendAsync([Make("file", "content")], @"C:\in");
        Assert.StartsWith("1001.", _guest.Asked["Test-OpenPart"][3], StringComparison.Ordinal);
        Assert.StartsWith("1002.", _guest.Asked["Test-OpenPart"][4], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_others_beside_it_is_left_alone()
    {
        _guest.Lies["Find-Part"] = new HelperAnswer("", [PartialName.CreateFolder("file"), "", "", "-", "", "elsewhere", "x", "", "1", "x"]);
        await SendAsync(Make("file", "content"), @"C:\in", Options with { Resume = true });
        Assert.Empty(_failures);
        Assert.Contains("left alone", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_comes_and_what_a_killed_copy_left_open_is_closed()
    {
        _guest.Files[@"C:\in\file"] = "content"u8.ToArray();
        var handle = _guest.OpenFor(@"C:\in\file");
        using (var left = LocalFile.Create(Here(PartialName.Create("file", handle))))
        {
            left.Write("con"u8);
        }

        await ReceiveAsync(@"C:\in\file");
        Assert.Empty(_failures);
        Assert.Equal((CopyVerification.Sha256, 0L), (_copies[0].Verified, _copies[0].Resumed));
        Assert.Equal("content", await File.ReadAllTextAsync(Here("file"), TestContext.Current.CancellationToken));
        Assert.Single(_here.EnumerateFileSystemInfos());
        AssertNothingLeft();
    }

    [Fact]
    public async Task A_file_that_others_write_to_says_so()
    {
        _guest.Lies["Get-ItemList"] = new HelperAnswer("", ["", @"f 3 1 0 C:\in\log"]);
        _guest.Lies["Test-Opening"] = new HelperAnswer("InUse", ["in use"]);
        await ReceiveAsync(@"C:\in\log");
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.GuestFileInUse);
        _failures.Clear();
        _guest.Lies.Remove("Test-Opening");
        await ReceiveAsync(@"C:\in\log");
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.GuestFileNotOpened);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_listed_is_told_of()
    {
        _guest.Lies["Get-ItemList"] = new HelperAnswer("", ["", @"d 0 1 0 C:\in\tree", @"u 0 1 0 C:\in\tree\closed", @"l 0 1 0 C:\in\tree\link"]);
        await ReceiveAsync(@"C:\in\tree", recurses: true);
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.GuestFileNotRead);
        Assert.Contains("is not copied", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "markcontent")]
    [InlineData(true, "oldcontent")]
    public async Task Content_is_written_piece_by_piece(bool appends, string expected)
    {
        _guest.Files[@"C:\in\file"] = "old"u8.ToArray();
        using var session = await _guest.ConnectAsync();
        var tools = _guest.Tools(session);
        await using (var writer = await tools.OpenInPlaceAsync(@"C:\in\file", "mark"u8.ToArray(), appends, TestContext.Current.CancellationToken))
        {
            await writer.WriteAsync("con"u8.ToArray(), TestContext.Current.CancellationToken);
            await writer.WriteAsync("tent"u8.ToArray(), TestContext.Current.CancellationToken);
            await writer.CompleteAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal(expected, System.Text.Encoding.UTF8.GetString(_guest.Files[@"C:\in\file"]));
        Assert.Equal(2, _guest.Happened.Count);
    }

    [Fact]
    public async Task Content_that_is_empty_makes_the_file()
    {
        using var session = await _guest.ConnectAsync();
        await using var writer = await _guest.Tools(session).OpenInPlaceAsync(@"C:\in\file", [], false, TestContext.Current.CancellationToken);
        await writer.CompleteAsync(TestContext.Current.CancellationToken);
        Assert.Empty(_guest.Files[@"C:\in\file"]);
    }

    private void AssertNothingLeft()
    {
        Assert.Empty(_guest.Open);
        Assert.DoesNotContain(_guest.Files.Keys, path => path.Contains(PartialName.Suffix, StringComparison.Ordinal));
    }

    // As a host leaves it that is killed.
    private string Leave(string name, string content)
    {
        var folder = PartialName.CreateFolder(name);
        var path = $@"C:\in\{folder}\{PartialName.Part(folder, _guest.NextHandle)}";
        _guest.Files[path] = System.Text.Encoding.UTF8.GetBytes(content);
        _guest.OpenFor(path);
        return path;
    }

    // Without what is random in the names.
    private string[] Happened() => [.. _guest.Happened.Select(what => Regex.Replace(what, @"\\\.file\..*", @"\.file."))];

    private async Task SendAsync(string source, string destination, ItemCopyOptions? options = null)
    {
        using var session = await _guest.ConnectAsync();
        await new TreeSender(_guest.Job(session, options ?? Options)).SendAsync([source], destination).OrHang();
    }

    private async Task ReceiveAsync(string source, bool isLiteral = true, bool recurses = false)
    {
        using var session = await _guest.ConnectAsync();
        var job = _guest.Job(session, Options with { Recurse = recurses });
        await new TreeReceiver(job).ReceiveAsync([source], isLiteral, _here.FullName).OrHang();
    }

    private string Here(string name) => Path.Combine(_here.FullName, name);

    private string Make(string name, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Here(name))!);
        File.WriteAllText(Here(name), content);
        return Here(name);
    }
}
