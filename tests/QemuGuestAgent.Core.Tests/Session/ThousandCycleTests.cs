using System.Text.Json;
using System.Threading.Channels;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using static QemuGuestAgent.Core.Tests.Session.AgentScript;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>
/// A thousand commands to an agent that is slow at random, whose callers lose patience at random: no reply ever reaches another's
/// caller. The agent does as QEMU's: it reads and answers in order, one request at a time, also what nobody waits for any longer.
/// </summary>
public sealed class ThousandCycleTests
{
    private const int Cycles = 1000;

    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, 2)]
    [InlineData(false, 3)]
    [InlineData(false, 4)]
    public async Task No_reply_ever_reaches_the_caller_of_another_command(bool ids, int seed)
    {
        using var dialogue = await Dialogue.StartAsync(ids);
        var random = new Random(seed);
        var agent = new SlowAgent(dialogue.Peer, ids);
        var serving = agent.ServeAsync();
        var (answered, gaveUp) = (0, 0);
        var kept = new List<(GuestAgentRequest Request, int Number)>();
        for (var number = 0; number < Cycles; number++)
        {
            using var cancel = new CancellationTokenSource();
            var request = WithNumber(number, keepsLateReply: random.Next(4) == 0);
            kept.Add((request, number));
            agent.BeQuick(false);
            agent.Allow(random.Next(4));
            var asking = dialogue.Session.AskUntil(request, cancel.Token);
            await LosePatienceAsync(random, dialogue, agent, cancel);
            try
            {
                Assert.Equal(number, (await asking.OrHang()).GetInt32());
                answered++;
            }
            catch (OperationCanceledException e) when (e.CancellationToken == cancel.Token)
            {
                gaveUp++;
            }
            catch (GuestAgentException e) when (e.ErrorId is "CommandTimedOut" or "AgentBusy" or "AgentSilent")
            {
                gaveUp++;
            }
        }

        // With enough patience the session is in sync again.
        agent.BeQuick(true);
        Assert.Equal(Cycles, (await dialogue.Session.Ask(WithNumber(Cycles)).OrHang()).GetInt32());
        Assert.True(answered > Cycles / 20 && gaveUp > Cycles / 20, $"{answered} were answered, {gaveUp} gave up (seed {seed}).");

        var late = kept.Where(k => k.Request.LateReply is not null).ToList();
        Assert.Equal(ids, late.Count > 0);
        Assert.All(late, k => Assert.Equal(k.Number, k.Request.LateReply!.Result.GetInt32()));
        dialogue.Session.Dispose();
        await serving.OrHang();
    }

    // Each way ends the call, whatever the agent does.
    private static async Task LosePatienceAsync(Random random, Dialogue dialogue, SlowAgent agent, CancellationTokenSource cancel)
    {
        switch (random.Next(4))
        {
            case 0:
                agent.BeQuick(true);
                break;
            case 1:
                dialogue.Time.Advance(Dialogue.CallTime);
                break;
            case 2:
                await cancel.CancelAsync();
                break;
            default:
                // The answers and the end of patience race.
                var count = random.Next(1, 6);
                var answering = Task.Run(() => agent.Allow(count));
                dialogue.Time.Advance(Dialogue.CallTime);
                await answering;
                break;
        }
    }

    private static GuestAgentRequest WithNumber(int number, bool keepsLateReply = false) =>
        new("guest-number", json => Write(json, number)) { KeepsLateReply = keepsLateReply };

    private static void Write(Utf8JsonWriter json, int number)
    {
        json.WriteStartObject();
        json.WriteNumber("n", number);
        json.WriteEndObject();
    }

    /// <summary>Answers in order, as many requests as it is allowed to, or all while it is quick.</summary>
    private sealed class SlowAgent(PeerConnection peer, bool ids)
    {
        private readonly Channel<bool> _allowed = Channel.CreateUnbounded<bool>();
        private volatile bool _isQuick;

        public void BeQuick(bool isQuick)
        {
            _isQuick = isQuick;
            Allow(isQuick ? 1 : 0);
        }

        public void Allow(int count)
        {
            for (; count > 0; count--)
            {
                _allowed.Writer.TryWrite(true);
            }
        }

        public async Task ServeAsync()
        {
            while (await peer.TryReadAsync() is { } request)
            {
                if (!_isQuick)
                {
                    await _allowed.Reader.ReadAsync();
                }

                peer.Write(request switch
                {
                    { IsSync: true } => Sync(request),
                    { Id: not null } when !ids => RefusesId(),
                    { Command: "guest-info" } => Return(request, Info),
                    _ => Return(request, request.Arguments.GetProperty("n").GetRawText()),
                });
            }
        }
    }
}
