using System.Text.Json;
using System.Text.Json.Nodes;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

/// <summary>Copies where the guest's programs cannot help: its policy forbids them, or it is Windows.</summary>
public sealed class PlainCopyTests : IDisposable
{
    private readonly DirectoryInfo _here = Directory.CreateTempSubdirectory("plain-copy-");
    private readonly List<ItemCopy> _copies = [];
    private readonly List<string> _warnings = [];
    private readonly List<GuestAgentException> _failures = [];

    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    private ItemCopyOptions Options => new()
    {
        Copied = copy =>
        {
            _copies.Add(copy);
            return Task.CompletedTask;
        },
        Warn = _warnings.Add,
        Failed = _failures.Add,
    };

    public static TheoryData<EmbeddedGuestOS, string> Guests => new()
    {
        { EmbeddedGuestOS.Linux, "/tmp/" },
        { EmbeddedGuestOS.Windows, @"C:\Windows\Temp\" },
    };

    public void Dispose() => _here.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(Guests))]
    public async Task Files_of_all_lengths_go_there_and_come_back(EmbeddedGuestOS system, string folder)
    {
        using var session = await ConnectAsync(system);
        foreach (var length in new[] { 0, 1, PieceSize.Min - 1, PieceSize.Min, PieceSize.Min + 1, 300_000 })
        {
            var content = Content(length);
            var name = $"file {length}";
            await GuestItems.SendAsync(session, [Make(name, content)], folder, Options, null, TestEnd).OrHang();
            await GuestItems.ReceiveAsync(session, [folder + name], true, Here("back"), Options with { Force = true }, null, TestEnd)
                .OrHang();
            Assert.Equal(content, File.ReadAllBytes(Here("back")));
            Assert.Equal((folder + name, false, CopyVerification.Size), Told(_copies[^2]));
            Assert.Equal((Here("back"), true, CopyVerification.Size), Told(_copies[^1]));
        }

        Assert.Empty(_failures);
        Assert.Equal(12, _warnings.Count);
        Assert.Contains("in place", _warnings[0], StringComparison.Ordinal);
        Assert.DoesNotContain(_here.EnumerateFiles(), file => file.Name.EndsWith(PartialName.Suffix, StringComparison.Ordinal));

        static (string, bool, CopyVerification) Told(ItemCopy copy) => (copy.Destination, copy.Atomic, copy.Verified);
    }

    [Fact]
    public async Task A_hundred_guests_get_a_file_at_once()
    {
        var source = Make("file", Content(5000));
        var sessions = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => ConnectAsync(EmbeddedGuestOS.Linux)));
        var copies = new System.Collections.Concurrent.ConcurrentBag<string>();
        var options = new ItemCopyOptions
        {
            Copied = copy =>
            {
                copies.Add(copy.Hash);
                return Task.CompletedTask;
            },
        };
        await Task.WhenAll(sessions.Select(session => GuestItems.SendAsync(session, [source], "/tmp/file", options, null, TestEnd))).OrHang();
        await Task.WhenAll(sessions.Select((session, i) =>
            GuestItems.ReceiveAsync(session, ["/tmp/file"], true, Here($"back {i}"), options, null, TestEnd))).OrHang();
        Assert.Equal(200, copies.Count);
        Assert.Single(copies.Distinct());
        Assert.All(Enumerable.Range(0, 100), i => Assert.Equal(Content(5000), File.ReadAllBytes(Here($"back {i}"))));
        Array.ForEach(sessions, session => session.Dispose());
    }

    [Theory]
    [MemberData(nameof(Guests))]
    public async Task A_second_read_is_made_if_asked_for(EmbeddedGuestOS system, string folder)
    {
        using var session = await ConnectAsync(system);
        var options = Options with { ReadBack = true };
        await GuestItems.SendAsync(session, [Make("file", Content(200_000))], folder + "target", options, null, TestEnd).OrHang();
        await GuestItems.ReceiveAsync(session, [folder + "target"], true, Here("back"), options, null, TestEnd).OrHang();
        Assert.All(_copies, copy => Assert.Equal(CopyVerification.SecondRead, copy.Verified));
        Assert.Equal(2, _copies.Count);
    }

    [Theory]
    [MemberData(nameof(Guests))]
    public async Task What_is_there_stays_without_force(EmbeddedGuestOS system, string folder)
    {
        using var session = await ConnectAsync(system);
        var source = Make("file", Content(10));
        await GuestItems.SendAsync(session, [source], folder, Options, null, TestEnd).OrHang();
        await GuestItems.SendAsync(session, [source], folder, Options, null, TestEnd).OrHang();
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.ItemExists);
        await GuestItems.SendAsync(session, [source], folder, Options with { Force = true }, null, TestEnd).OrHang();
        Assert.Equal(2, _copies.Count);
    }

    [Theory]
    [MemberData(nameof(Guests))]
    public async Task What_needs_programs_is_an_error(EmbeddedGuestOS system, string folder)
    {
        using var session = await ConnectAsync(system);
        await GuestItems.ReceiveAsync(session, [folder + "*"], false, _here.FullName, Options, null, TestEnd).OrHang();
        _failures[0].ShouldBe(ErrorCatalogue.GuestToolsMissing);
        Directory.CreateDirectory(Here("tree"));
        await GuestItems.SendAsync(session, [Here("tree")], folder, Options with { Recurse = true }, null, TestEnd).OrHang();
        _failures[1].ShouldBe(ErrorCatalogue.GuestToolsMissing);
        await GuestItems.ReceiveAsync(session, [folder + "none"], true, _here.FullName, Options, null, TestEnd).OrHang();
        _failures[2].ShouldBe(ErrorCatalogue.GuestFileNotOpened);
        Assert.Empty(_copies);
    }

    [Fact]
    public async Task A_full_disk_is_an_error_and_what_is_left_is_told_of()
    {
        using var session = await ConnectAsync(EmbeddedGuestOS.Linux, disk: 100_000);
        await GuestItems.SendAsync(session, [Make("file", Content(200_000))], "/tmp", Options, null, TestEnd).OrHang();
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.GuestFileNotWritten);
        Assert.Contains("left incomplete", _warnings[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_write_that_takes_less_is_an_error()
    {
        using var session = await ConnectAsync(
            EmbeddedGuestOS.Linux, command: ("guest-file-write", _ => new JsonObject { ["count"] = 3, ["eof"] = false }));
        await GuestItems.SendAsync(session, [Make("file", Content(4))], "/tmp", Options, null, TestEnd).OrHang();
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.GuestFileNotWritten);
    }

    [Fact]
    public async Task A_guest_that_sends_more_than_was_asked_for_is_refused()
    {
        var reply = new JsonObject { ["count"] = 5, ["buf-b64"] = Convert.ToBase64String(new byte[70_000]), ["eof"] = false };
        using var session = await ConnectAsync(EmbeddedGuestOS.Linux, command: ("guest-file-read", _ => reply.DeepClone()));
        await GuestItems.ReceiveAsync(session, ["/etc/hostname"], true, Here("back"), Options, null, TestEnd).OrHang();
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.ReplyUnexpected);
        Assert.Empty(_here.EnumerateFileSystemInfos());
    }

    [Fact]
    public async Task A_file_without_length_that_does_not_end_is_bounded()
    {
        var reply = new JsonObject { ["count"] = 65536, ["buf-b64"] = Convert.ToBase64String(new byte[65536]), ["eof"] = false };
        using var session = await ConnectAsync(EmbeddedGuestOS.Linux, commands: new()
        {
            ["guest-file-read"] = _ => reply.DeepClone(),
            ["guest-file-seek"] = _ => new JsonObject { ["position"] = 0, ["eof"] = false },
        });
        var options = Options with { PieceBytes = 65536 };
        await GuestItems.ReceiveAsync(session, ["/etc/hostname"], true, Here("back"), options, null, TestEnd).OrHang();
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.ItemTooLarge);
        Assert.Empty(_here.EnumerateFileSystemInfos());
    }

    [Fact]
    public async Task A_length_beyond_all_disks_is_refused_before_anything_is_read()
    {
        var hasRead = false;
        using var session = await ConnectAsync(EmbeddedGuestOS.Linux, commands: new()
        {
            ["guest-file-seek"] = _ => new JsonObject { ["position"] = long.MaxValue, ["eof"] = false },
            ["guest-file-read"] = _ =>
            {
                hasRead = true;
                return new JsonObject { ["count"] = 0, ["buf-b64"] = "", ["eof"] = true };
            },
        });
        await GuestItems.ReceiveAsync(session, ["/etc/hostname"], true, Here("back"), Options, null, TestEnd).OrHang();
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.ItemTooLarge);
        Assert.False(hasRead);
    }

    private static byte[] Content(int length)
    {
        var content = new byte[length];
        new Random(length).NextBytes(content);
        return content;
    }

    private static Task<GuestAgentSession> ConnectAsync(
        EmbeddedGuestOS system, long disk = 1 << 30, (string Name, Func<JsonElement, JsonNode?> Answer)? command = null,
        Dictionary<string, Func<JsonElement, JsonNode?>>? commands = null)
    {
        commands ??= [];
        if (command is { } one)
        {
            commands.Add(one.Name, one.Answer);
        }

        return EmbeddedEndpoint.Register($"plain-{Guid.NewGuid()}", new EmbeddedGuestAgent(new EmbeddedGuestAgentOptions
        {
            GuestOS = system,
            DiskSize = disk,
            BlockedCommands = system == EmbeddedGuestOS.Linux ? ["guest-exec"] : [],
            Commands = commands,
        })).Connect();
    }

    private string Here(string name) => Path.Combine(_here.FullName, name);

    private string Make(string name, byte[] content)
    {
        File.WriteAllBytes(Here(name), content);
        return Here(name);
    }
}
