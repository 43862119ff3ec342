using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Posix;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;
using static QemuGuestAgent.Core.Tests.Session.AgentScript;

namespace QemuGuestAgent.Core.Tests.Guests;

/// <summary>Input for a program in a guest that is frozen meanwhile: each byte goes there once.</summary>
public sealed class InteractiveInputTests
{
    private const string Taken = """{"count":2,"eof":false}""";

    // A command that is not listed is not refused for a freeze.
    private static readonly string Listing = Info
        .Replace("guest-file-open", "guest-file-write", StringComparison.Ordinal)
        .Replace("guest-file-close", "guest-file-flush", StringComparison.Ordinal);

    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_taken_before_a_freeze_is_only_flushed_after_it()
    {
        using var dialogue = await Dialogue.StartAsync(info: Listing);
        var input = await StartAsync(dialogue);
        var writing = input.WriteAsync(new CallOptions(), TestEnd);
        await dialogue.Peer.AnswerAsync("guest-file-write", Taken);
        await RefuseFrozenAsync(dialogue, "guest-file-flush");
        await writing.FailsWith(ErrorCatalogue.GuestFrozen);

        writing = input.WriteAsync(new CallOptions(), TestEnd);
        await dialogue.Peer.AnswerAsync("guest-file-flush", "{}");
        Assert.True(await writing.OrHang());
        await dialogue.IsInSyncAsync();
    }

    [Fact]
    public async Task An_error_that_the_agent_remembers_is_cleared_after_a_freeze()
    {
        using var dialogue = await Dialogue.StartAsync(info: Listing);
        var input = await StartAsync(dialogue);
        var writing = input.WriteAsync(new CallOptions(), TestEnd);
        await dialogue.Peer.AnswerAsync("guest-file-write", Taken);
        dialogue.Peer.Write(Error(await dialogue.Peer.ReadAsync(), "no room"));
        Assert.False(await writing.OrHang());

        writing = input.WriteAsync(new CallOptions(), TestEnd);
        await RefuseFrozenAsync(dialogue, "guest-file-write");
        await writing.FailsWith(ErrorCatalogue.GuestFrozen);

        writing = input.WriteAsync(new CallOptions(), TestEnd);
        var clearing = await dialogue.Peer.ReadAsync();
        Assert.Equal("", clearing.Arguments.GetProperty("buf-b64").GetString());
        dialogue.Peer.Write(Error(clearing, "no room"));
        await dialogue.Peer.AnswerAsync("guest-file-write", Taken);
        await dialogue.Peer.AnswerAsync("guest-file-flush", "{}");
        Assert.True(await writing.OrHang());
    }

    [Fact]
    public async Task As_much_goes_at_once_as_the_pipe_has_room_for()
    {
        using var dialogue = await Dialogue.StartAsync(info: Listing);
        var input = await StartAsync(dialogue);
        input.Add(new byte[70_000]);
        await TakeAsync(65_536, 4096, 370);

        // All of it was read.
        input.ConfirmRead(70_002);
        input.Add(new byte[5000]);
        input.Add([1]);
        await TakeAsync(5001);

        // Two pages may be in use still.
        input.Add(new byte[70_000]);
        await TakeAsync(57_344, 4096, 4096, 4096, 368);

        // Those of the first piece are free again.
        input.ConfirmRead(75_003);
        input.Add(new byte[10_000]);
        await TakeAsync(4096, 4096, 1808);
        Assert.False(await input.WriteAsync(new CallOptions(), TestEnd));

        async Task TakeAsync(params int[] pieces)
        {
            foreach (var piece in pieces)
            {
                var writing = input.WriteAsync(new CallOptions(), TestEnd);
                var request = await dialogue.Peer.ReadAsync();
                Assert.Equal(piece, request.Arguments.GetProperty("buf-b64").GetBytesFromBase64().Length);
                dialogue.Peer.Write(Return(request, $$"""{"count":{{piece}},"eof":false}"""));
                await dialogue.Peer.AnswerAsync("guest-file-flush", "{}");
                Assert.True(await writing.OrHang());
            }
        }
    }

    [Fact]
    public async Task Where_nobody_tells_what_was_read_each_piece_is_one_that_the_pipe_takes_whole()
    {
        using var dialogue = await Dialogue.StartAsync(info: Listing);
        var input = await StartAsync(dialogue);
        var sizes = new List<int>();
        input.Add(new byte[200_000]);
        for (var left = 200_002; left > 0; left -= sizes[^1])
        {
            var writing = input.WriteAsync(new CallOptions(), TestEnd);
            var request = await dialogue.Peer.ReadAsync();
            sizes.Add(request.Arguments.GetProperty("buf-b64").GetBytesFromBase64().Length);
            dialogue.Peer.Write(Return(request, $$"""{"count":{{sizes[^1]}},"eof":false}"""));
            await dialogue.Peer.AnswerAsync("guest-file-flush", "{}");
            Assert.True(await writing.OrHang());
        }

        Assert.Equal([65_536, .. Enumerable.Repeat(4096, 32), 200_002 - 65_536 - (32 * 4096)], sizes);
        input.ConfirmRead(200_002);
        input.Add(new byte[65_536]);
        var last = input.WriteAsync(new CallOptions(), TestEnd);
        Assert.Equal(65_536, (await dialogue.Peer.ReadAsync()).Arguments.GetProperty("buf-b64").GetBytesFromBase64().Length);
        dialogue.Session.Dispose();
        await last.FailsWith(ErrorCatalogue.SessionClosed);
    }

    private static async Task<InteractiveInput> StartAsync(Dialogue dialogue)
    {
        var time = new OperationTime(dialogue.Session.Clock, null);
        var opening = GuestFile.OpenAsync(dialogue.Session, "in", "r+", time, TestEnd);
        await dialogue.Peer.AnswerAsync("guest-file-open", "1000");
        var input = new InteractiveInput(dialogue.Session, await opening.OrHang());
        input.Add("ab"u8.ToArray());
        return input;
    }

    private static async Task RefuseFrozenAsync(Dialogue dialogue, string command)
    {
        var request = await dialogue.Peer.ReadAsync();
        Assert.Equal(command, request.Command);
        dialogue.Peer.Write(Error(request, "no", "CommandNotFound"));
        await dialogue.Peer.AnswerAsync("guest-fsfreeze-status", "\"frozen\"");
    }
}
