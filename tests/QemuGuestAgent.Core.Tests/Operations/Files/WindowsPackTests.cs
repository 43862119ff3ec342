using System.Text;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Windows;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

/// <summary>Small files that go to a Windows guest and come from it together, as this side decides them.</summary>
public sealed class WindowsPackTests : IDisposable
{
    private static readonly string[] Names = ["a", "b", "empty", @"inner\c"];

    private readonly DirectoryInfo _here = Directory.CreateTempSubdirectory("windows-pack-");
    private readonly FakeWindowsGuest _guest = new();
    private readonly List<ItemCopy> _copies = [];
    private readonly List<string> _warnings = [];
    private readonly List<GuestAgentException> _failures = [];

    public WindowsPackTests()
    {
        foreach (var name in Names)
        {
            var path = Here($"tree/{name}");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, Content(name));
        }
    }

    public void Dispose() => _here.Delete(recursive: true);

    [Fact]
    public async Task Files_go_by_one_question()
    {
        await SendAsync();
        Assert.Empty(_failures);
        Assert.Empty(_warnings);
        AssertSent("Get-ItemList", "New-FolderList", "Clear-Pack", "Expand-Pack", "Set-FolderTime");
        Assert.All(_copies, copy => Assert.Equal((true, CopyVerification.Sha256), (copy.Atomic, copy.Verified)));
        Assert.True(PartialName.IsFolderOf(_guest.Asked["Expand-Pack"][1], "tree"));
    }

    [Fact]
    public async Task What_a_file_did_not_get_is_told()
    {
        _guest.Lies["Expand-Pack"] = new HelperAnswer("", ["0", "", "1", "the time of its source", "2", "", "3", ""]);
        await SendAsync();
        Assert.Equal(Names.Length, _copies.Count);
        var second = _guest.Asked["Expand-Pack"][10];
        Assert.StartsWith($@"'C:\in\tree\{second}' ", Assert.Single(_warnings), StringComparison.Ordinal);
        Assert.EndsWith(" did not get the time of its source.", _warnings[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_there_fails_with_its_own_error_and_is_replaced_with_force()
    {
        _guest.Files[@"C:\in\tree\b"] = "old"u8.ToArray();
        await SendAsync();
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.ItemExists);
        Assert.Equal("old"u8, _guest.Files[@"C:\in\tree\b"]);
        Assert.Equal(Names.Length - 1, _copies.Count);
        _failures.Clear();
        await SendAsync(force: true);
        Assert.Empty(_failures);
        AssertSent();
    }

    [Theory]
    [InlineData("Failed", "why")]
    [InlineData("")]
    [InlineData("", "0")]
    [InlineData("", "4", "", "-1", "", "x", "", "99999999999", "")]
    public async Task What_the_guest_does_not_say_to_be_there_is_sent_alone(string code, params string[] told)
    {
        _guest.Lies["Expand-Pack"] = new HelperAnswer(code, told);
        await SendAsync();
        Assert.Empty(_failures);
        AssertSent();
        Assert.Equal(Names.Length, _guest.Happened.Count(happened => happened == "Complete-Part"));
    }

    [Fact]
    public async Task A_copy_that_is_given_up_stops_in_the_guest()
    {
        _guest.GivenUp.Add("Expand-Pack");
        await Assert.ThrowsAsync<OperationCanceledException>(() => SendAsync());
        Assert.Equal(_guest.Asked["Expand-Pack"][1], Assert.Single(_guest.Asked["Stop-Pack"]));
    }

    [Fact]
    public async Task Files_come_by_one_question()
    {
        await ReceiveAsync();
        Assert.Empty(_failures);
        AssertReceived();
        Assert.DoesNotContain(_guest.Happened, happened => happened.StartsWith("r ", StringComparison.Ordinal));
        Assert.All(_copies, copy => Assert.Equal(CopyVerification.Sha256, copy.Verified));
    }

    public static TheoryData<string> Answers => ["failed", "none", "few", "many", "no base64", "no gzip", "cut off", "other content", "other sums", "no sums"];

    // What is not as it was listed comes alone, and is verified then.
    [Theory]
    [MemberData(nameof(Answers))]
    public async Task Of_what_the_guest_sends_nothing_is_believed(string kind)
    {
        byte[][] files = [.. Names.Select(Content)];
        var right = FakeWindowsGuest.Pack(files);
        string[] sums = [.. right.Fields.Take(Names.Length)];
        var content = right.Fields[Names.Length];
        _guest.Lies["Compress-Pack"] = kind switch
        {
            "failed" => new HelperAnswer("Failed", ["why"]),
            "none" => right with { Fields = [] },
            "few" => right with { Fields = sums },
            "many" => right with { Fields = [.. right.Fields, content] },
            "no base64" => right with { Fields = [.. sums, "~"] },
            "no gzip" => right with { Fields = [.. sums, Convert.ToBase64String("nothing"u8)] },
            "cut off" => right with { Fields = [.. sums, Convert.ToBase64String(Convert.FromBase64String(content)[..15])] },
            "other content" => right with { Fields = [.. sums, FakeWindowsGuest.Pack(new byte[64 << 20]).Fields[1]] },
            "other sums" => right with { Fields = [.. sums.Reverse(), content] },
            _ => right with { Fields = [.. Names.Select(_ => ""), content] },
        };
        await ReceiveAsync();
        Assert.Empty(_failures);
        AssertReceived();
        Assert.Contains(_guest.Happened, happened => happened.StartsWith("r ", StringComparison.Ordinal));
    }

    private void AssertSent(params string[] happened)
    {
        Assert.Equal(Names.Select(name => $@"C:\in\tree\{name}"), _guest.Files.Keys.Order(StringComparer.Ordinal));
        Assert.All(Names, name => Assert.Equal(Content(name), _guest.Files[$@"C:\in\tree\{name}"]));
        Assert.Empty(_guest.Open);
        if (happened.Length > 0)
        {
            Assert.Equal(happened, _guest.Happened);
        }
    }

    private void AssertReceived()
    {
        Assert.Equal(Names.Length, _copies.Count);
        Assert.All(Names, name => Assert.Equal(Content(name), File.ReadAllBytes(Here($"back/{name}"))));
        Assert.Equal(Names.Length, Directory.GetFiles(Here("back"), "*", SearchOption.AllDirectories).Length);
        Assert.Empty(_guest.Open);
    }

    private async Task SendAsync(bool force = false)
    {
        using var session = await _guest.ConnectAsync();
        await new TreeSender(_guest.Job(session, Options with { Force = force })).SendAsync([Here("tree")], @"C:\in").OrHang();
    }

    private async Task ReceiveAsync()
    {
        foreach (var name in Names)
        {
            _guest.Files[$@"C:\in\tree\{name}"] = Content(name);
        }

        _guest.Lies["Get-ItemList"] = new HelperAnswer(
            "",
            [
                "", @"d 0 1 0 C:\in\tree", @"d 0 1 0 C:\in\tree\inner",
                .. Names.Select(name => $@"f {_guest.Files[$@"C:\in\tree\{name}"].Length} 1.5 0 C:\in\tree\{name}"),
            ]);
        using var session = await _guest.ConnectAsync();
        await new TreeReceiver(_guest.Job(session, Options)).ReceiveAsync([@"C:\in\tree"], true, Here("back")).OrHang();
    }

    private ItemCopyOptions Options => new()
    {
        Recurse = true,
        Copied = copy =>
        {
            _copies.Add(copy);
            return Task.CompletedTask;
        },
        Warn = _warnings.Add,
        Failed = _failures.Add,
    };

    private static byte[] Content(string name) => name == "empty" ? [] : Encoding.UTF8.GetBytes($"content of {name}");

    private string Here(string name) => Path.Combine(_here.FullName, name.Replace('\\', '/'));
}
