using System.Text;
using System.Text.Json;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Tests.Contract;

public abstract partial class AgentContract
{
    [Fact]
    public async Task A_program_s_output_and_exit_code_are_captured()
    {
        using var session = await Peer.ConnectAsync();

        // cmd prints what quotes an argument, and writes in a code page.
        string[] words = Peer.IsWindows ? ["hello", "world"] : ["hello", "wörld 😀", ""];
        var pid = await EchoAsync(session, words);

        var status = await WaitForExitAsync(session, pid);

        Assert.Equal(0, status.GetProperty("exitcode").GetInt32());
        Assert.Equal(Line(string.Join(' ', words)), Output(status));
        Assert.False(status.TryGetProperty("err-data", out _));
    }

    [Fact]
    public async Task An_exit_is_told_only_once()
    {
        using var session = await Peer.ConnectAsync();
        var pid = await EchoAsync(session);
        await WaitForExitAsync(session, pid);

        await AssertRefusedAsync(session, "AgentError", "guest-exec-status", new { pid });
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_the_agent_s_error()
    {
        using var session = await Peer.ConnectAsync();

        var error = await AssertRefusedAsync(session, "AgentError", "guest-exec", new { path = Peer.GuestPath("no-program") });

        Assert.Equal("GenericError", error.AgentErrorClass);
    }

    [Fact]
    public async Task Output_is_not_lost_with_the_caller_that_did_not_wait_for_it()
    {
        using var session = await Peer.ConnectAsync();
        var pid = await EchoAsync(session, "kept");
        var request = new GuestAgentRequest("guest-exec-status", json => WritePid(json, pid)) { KeepsLateReply = true };
        await Peer.PauseAsync();
        await AssertFailsAsync("CommandTimedOut", () => session.InvokeAsync(request, Briefly, TestEnd));
        await Peer.ResumeAsync();

        await session.SynchronizeAsync(cancellationToken: TestEnd);

        Assert.NotNull(request.LateReply);
        var status = request.LateReply.Result;
        status = status.GetProperty("exited").GetBoolean() ? status : await WaitForExitAsync(session, pid);
        Assert.Equal(Line("kept"), Output(status));
    }

    private static void WritePid(Utf8JsonWriter json, long pid)
    {
        json.WriteStartObject();
        json.WriteNumber("pid", pid);
        json.WriteEndObject();
    }

    private async Task<long> EchoAsync(GuestAgentSession session, params string[] words)
    {
        var (path, arg) = Peer.IsWindows ? ("cmd", ["/c", "echo", .. words]) : ("echo", words);
        return (await InvokeAsync(session, "guest-exec", new { path, arg, capture_output = true })).GetProperty("pid").GetInt64();
    }

    private string Line(string text) => text + (Peer.IsWindows ? "\r\n" : "\n");

    private static async Task<JsonElement> WaitForExitAsync(GuestAgentSession session, long pid)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(TestEnd);
        bound.CancelAfter(TimeSpan.FromSeconds(30));
        while (true)
        {
            var status = await InvokeAsync(session, "guest-exec-status", new { pid });
            if (status.GetProperty("exited").GetBoolean())
            {
                return status;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), bound.Token);
        }
    }

    private static string Output(JsonElement status) =>
        Encoding.UTF8.GetString(status.GetProperty("out-data").GetBytesFromBase64());
}
