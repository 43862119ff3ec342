using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using static QemuGuestAgent.Fuzz.FuzzTargets;

namespace QemuGuestAgent.Fuzz;

/// <summary>
/// A whole session with a <see cref="ScriptedAgent"/>: every call ends by itself, only with documented errors, and a result is what the
/// agent said to this call's request, to no other.
/// </summary>
internal static class SessionTarget
{
    private const int Calls = 3;

    private static readonly GuestAgentSessionOptions Narrow =
        new() { MaxReplyBytes = 512, MaxSyncBytes = 4096, MaxReplyDepth = 6, MaxReplyValues = 40 };

    private static readonly string[] ConnectErrors =
    [
        "AgentSilent", "NotAnAgent", "EndpointEchoes", "ConnectionLost", "ReplyTooLong", "SyncSkippedTooMuch", "ReplyMalformed",
        "ReplyUnexpected", "AgentBusy",
    ];

    private static readonly string[] InvokeErrors =
    [
        .. ConnectErrors, "AgentError", "CommandNotFound", "CommandDisabled", "GuestFrozen", "CommandTimedOut", "RequestLost",
        "ReplyTooComplex", "SessionFaulted",
    ];

    private delegate Task Call(GuestAgentSession session, CallOptions call, CancellationToken cancellation);

    // What takes replies apart.
    private static readonly Call[] Typed =
    [
        (s, c, t) => s.GetCommandsAsync(c, t), (s, c, t) => s.GetDevicesAsync(c, t), (s, c, t) => s.GetDisksAsync(c, t),
        (s, c, t) => s.GetDiskStatisticsAsync(c, t), (s, c, t) => s.GetFileSystemsAsync(c, t), (s, c, t) => s.GetHostNameAsync(c, t),
        (s, c, t) => s.GetLoadAsync(c, t), (s, c, t) => s.GetMemoryBlocksAsync(c, t), (s, c, t) => s.GetMemoryBlockSizeAsync(c, t),
        (s, c, t) => s.GetNetworkInterfacesAsync(c, t), (s, c, t) => s.GetNetworkRoutesAsync(c, t),
        (s, c, t) => s.GetOperatingSystemAsync(c, t), (s, c, t) => s.GetProcessorsAsync(c, t),
        (s, c, t) => s.GetProcessorStatisticsAsync(c, t), (s, c, t) => s.GetSshKeysAsync("root", c, t), (s, c, t) => s.GetTimeAsync(c, t),
        (s, c, t) => s.GetTimeZoneAsync(c, t), (s, c, t) => s.GetUsersAsync(c, t), (s, c, t) => s.GetFreezeStatusAsync(c, t),
        (s, c, t) => s.TrimFileSystemsAsync(null, c, t), (s, c, t) => s.ReadFileAsync(1, new byte[64], 64, c, t),
        (s, c, t) => s.InvokeAsync(ProcessCommands.StatusRequest(1), Status, c, t),
    ];

    /// <summary>Runs it.</summary>
    /// <param name="input">
    /// Whether bounds are narrow, and whether the session is traced; what is called, three times; the agent's script.
    /// </param>
    public static void Run(byte[] input)
    {
        if (input.Length <= Calls)
        {
            return;
        }

        var time = new FakeTimeProvider();
        var agent = new ScriptedAgent(input.AsMemory(1 + Calls), time);
        var options = ((input[0] & 1) == 0 ? Narrow : new()) with { NoReplyWait = ScriptedAgent.Times.NoReply, TimeProvider = time };
        var call = new CallOptions { Timeout = ScriptedAgent.Times.Call, Trace = (input[0] & 2) == 0 ? null : CheckTrace };
        GuestAgentSession? session = null;
        Try(agent, ConnectErrors, async token => session = await GuestAgentSession.ConnectAsync(agent, options, call, token));
        if (session is null)
        {
            return;
        }

        var requests = new List<(GuestAgentRequest Request, List<long> Ids)>();
        foreach (var kind in input.AsSpan(1, Calls))
        {
            if (session.State == GuestAgentSessionState.Faulted)
            {
                Try(agent, ConnectErrors, token => session.SynchronizeAsync(call, token));
            }

            agent.Ids.Clear();
            if (kind % 3 > 0)
            {
                var request = new GuestAgentRequest(kind % 3 == 1 ? "guest-number" : "guest-shutdown") { KeepsLateReply = true };
                Try(agent, InvokeErrors, async token => CheckResult(agent, session, await session.InvokeAsync(request, call, token)));
                requests.Add((request, [.. agent.Ids]));
            }
            else
            {
                Try(agent, InvokeErrors, token => Typed[kind / 3 % Typed.Length](session, call, token));
            }
        }

        Check(requests.TrueForAll(r => r.Request.LateReply is not { } late || late.Result.ValueKind == JsonValueKind.Undefined
            || IsSaid(agent, late.Result, r.Ids)), "A late reply was another's.");
        session.Dispose();
        Check(session.State == GuestAgentSessionState.Closed, "It does not close.");
    }

    private static void Try(ScriptedAgent agent, string[] errors, Func<CancellationToken, Task> call)
    {
        using var cancel = new CancellationTokenSource();
        agent.CancelCall = cancel.Cancel;
        try
        {
            var running = call(cancel.Token);
            Check(running.IsCompleted || running.Wait(TimeSpan.FromSeconds(5), CancellationToken.None), "The call does not end.");
            running.GetAwaiter().GetResult();
        }
        catch (GuestAgentException e) when (errors.Contains(e.ErrorId))
        {
            Check(!e.Message.Any(char.IsControl), "The error's text could act on a terminal.");
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // As the agent's script had it.
        }
    }

    private static void CheckResult(ScriptedAgent agent, GuestAgentSession session, JsonElement result)
    {
        var isNothing = result.ValueKind == JsonValueKind.Undefined;
        Check(isNothing || IsSaid(agent, result, session.EchoesRequestIds ? agent.Ids : null), "The result was never said to this request.");
    }

    // By a line of the agent's, with one of these ids where it has any. What is no UTF-8 has no text to be compared.
    private static bool IsSaid(ScriptedAgent agent, JsonElement result, List<long>? ids) =>
        Text(result) is not { } expected || agent.Lines.Any(line =>
        {
            try
            {
                using var reply = JsonDocument.Parse(line);
                return reply.RootElement.TryGetProperty("return", out var value) && Text(value) == expected
                    && (ids is null || (reply.RootElement.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.Number
                        && id.TryGetInt64(out var number) && ids.Contains(number)));
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                return false;
            }
        });

    private static string? Text(JsonElement value)
    {
        try
        {
            return value.GetRawText();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static GuestExecutionStatus Status(ref Utf8JsonReader reader) => ProcessCommands.ParseStatus(JsonElement.ParseValue(ref reader));

    private static void CheckTrace(TraceEvent e) => Check(!e.Text.Any(char.IsControl), "The trace could act on a terminal.");
}
