using System.Text.Json;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using static QemuGuestAgent.Core.Tests.Session.AgentScript;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>A conversation goes the same way wherever its bytes are cut.</summary>
public sealed class SplitReplyTests
{
    private const string OSInfo = """{"id": "debian", "numbers": [1, -2.5e3, 18446744073709551615, null, true], "o": {}}""";

    private static readonly string[] Commands =
    [
        "guest-ping", "guest-get-host-name", "guest-file-open", "guest-odd", "guest-get-osinfo", "guest-shutdown",
        "guest-get-time",
    ];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Every_reply_cut_in_two_at_every_byte_gives_the_same(bool ids)
    {
        var (expected, lengths) = await TalkAsync(ids, reply => [reply]);
        Assert.True(lengths.Count > Commands.Length);
        for (var cut = 1; cut < lengths.Max(); cut++)
        {
            // One run cuts each reply at this byte; those that are shorter come whole.
            var (log, _) = await TalkAsync(ids, reply => cut < reply.Length ? [reply[..cut], reply[cut..]] : [reply]);
            Assert.True(expected == log, $"Cut at {cut}:\n{log}\nand not:\n{expected}");
        }
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 1)]
    [InlineData(true, 2)]
    [InlineData(true, 7)]
    public async Task Replies_that_come_in_small_parts_give_the_same(bool ids, int size)
    {
        var (expected, _) = await TalkAsync(ids, reply => [reply]);
        var (log, _) = await TalkAsync(ids, reply => reply.Chunk(size).Select(part => new string(part)));
        Assert.Equal(expected, log);
    }

    // Talks to an agent whose replies are cut, and returns what the session made of them.
    private static async Task<(string Log, List<int> Lengths)> TalkAsync(bool ids, Func<string, IEnumerable<string>> cut)
    {
        var endpoint = new ScriptedPeer();
        var connecting = endpoint.Connect();
        var lengths = new List<int>();
        var serving = ServeAsync(await endpoint.AcceptAsync());
        var log = new List<string>();
        using (var session = await connecting.OrHang())
        {
            LogSync(session);
            foreach (var command in Commands)
            {
                try
                {
                    var result = await session.Ask(command).OrHang();
                    log.Add(result.ValueKind == JsonValueKind.Undefined ? "no reply" : result.GetRawText());
                }
                catch (GuestAgentException e)
                {
                    log.Add($"{e.ErrorId}: {e.Message}");
                }

                log.Add(session.State.ToString());
            }

            LogSync(session);
        }

        await serving.OrHang();
        return (string.Join("\n", log), lengths);

        void LogSync(GuestAgentSession session)
        {
            var sync = session.LastSync! with { Id = 0, Duration = TimeSpan.Zero };
            log.Add($"{session.Agent!.Commands.Count} {session.EchoesRequestIds} {sync}");
        }

        async Task ServeAsync(PeerConnection peer)
        {
            while (await peer.TryReadAsync() is { } request)
            {
                if (Reply(request, ids) is { } reply)
                {
                    lengths.Add(reply.Length);
                    foreach (var part in cut(reply))
                    {
                        peer.Write(part);
                    }
                }
            }
        }
    }

    private static string? Reply(PeerRequest request, bool ids) => request switch
    {
        { IsSync: true } => "\"stale\": [\n" + """{"return": {"exited": true}, "id": 5}""" + "\n" + Sync(request),
        { Id: not null } when !ids => RefusesId(),
        { Command: "guest-info" } => Return(request, Info),
        { Command: "guest-ping" } => "\r\n" + Return(request, "{}"),
        { Command: "guest-get-host-name" } =>
            "half a rep" + Sentinel + Return(request, """{"host-name": "\ud83d\ude00 \"x\" \u00fc"}"""),
        { Command: "guest-file-open" } => Error(request, "failed to open file '/x': \\u001b"),
        { Command: "guest-odd" } => """{"return": {}}{"return": 1}""" + "\n",
        { Command: "guest-get-osinfo" } => Return(request, OSInfo),
        { Command: "guest-shutdown" } => null,
        _ => Return(request, "1700000000000000000"),
    };
}
