using System.Collections;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations.Power;

/// <summary>What can be done to a guest as a whole.</summary>
public enum GuestPowerChange
{
    /// <summary>It shuts down, and is switched off.</summary>
    PowerOff,

    /// <summary>It shuts down, and stays switched on.</summary>
    Halt,

    /// <summary>It restarts.</summary>
    Restart,

    /// <summary>It saves its state on its disk, and is switched off.</summary>
    SuspendToDisk,

    /// <summary>It sleeps.</summary>
    SuspendToMemory,

    /// <summary>It saves its state on its disk, and sleeps.</summary>
    SuspendHybrid,
}

/// <summary>
/// Shuts guests down, restarts and suspends them. Success is not answered; that it has happened is seen by the channel: it ends with
/// QEMU, the agent falls silent, and what it was asked then is never answered where it was away, but later where it was only slow.
/// </summary>
public static class GuestPower
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    // A small guest is back soon after its agent has gone.
    private static readonly TimeSpan MaxLookAtRestart = TimeSpan.FromSeconds(1);

    private enum AgentPresence
    {
        Answers,
        Silent,
        Gone,
    }

    /// <summary>Changes a guest's power (guest-shutdown, guest-suspend-…).</summary>
    /// <param name="session">The session with its agent.</param>
    /// <param name="change">What shall happen.</param>
    /// <param name="waits">Whether to wait until it has happened; for a restart until the agent answers again.</param>
    /// <param name="call">Time limit for the whole operation, and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels waiting; the session stays usable.</param>
    /// <exception cref="GuestAgentException">PowerChangeNotSeen, AgentNotReady; and as InvokeAsync, also where the error comes late.</exception>
    public static async Task ChangePowerAsync(
        this GuestAgentSession session, GuestPowerChange change, bool waits = false, CallOptions? call = null,
        CancellationToken cancellationToken = default)
    {
        var time = new OperationTime(session.Clock, call);
        var request = RequestOf(change);
        await session.InvokeAsync(request, time.Command(), cancellationToken).ConfigureAwait(false);
        if (waits)
        {
            await WaitAsync(session, change, request, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task WaitAsync(
        GuestAgentSession session, GuestPowerChange change, GuestAgentRequest request, OperationTime time,
        CancellationToken cancellationToken)
    {
        // What was asked and not answered: the ping behind the command at first, then pings of ours.
        var unanswered = session.State == GuestAgentSessionState.Ready || request.LateReply is not null ? null : request;
        var wasAway = false;
        AgentPresence? seen = null;
        while (true)
        {
            var isCutShort = time.Limit > TimeSpan.Zero && time.Limit - time.Elapsed < session.NoReplyWait;
            var ping = unanswered ?? new GuestAgentRequest("guest-ping") { KeepsLateReply = true };
            var presence = await LookAsync(
                session, unanswered is null ? ping : null, time, isRestart: change == GuestPowerChange.Restart, cancellationToken)
                .ConfigureAwait(false);
            if (request.LateReply?.Error is { } error)
            {
                throw error;
            }

            // An agent that was only slow answers that too, first.
            wasAway |= presence == AgentPresence.Gone || (presence == AgentPresence.Answers && unanswered is { LateReply: null });
            unanswered = presence == AgentPresence.Answers ? null : ping;
            if (change switch
            {
                GuestPowerChange.Restart => presence == AgentPresence.Answers && wasAway,
                GuestPowerChange.PowerOff or GuestPowerChange.SuspendToDisk => presence == AgentPresence.Gone,
                _ => presence != AgentPresence.Answers,
            })
            {
                return;
            }

            // For a look that is cut short by the end, every agent is silent.
            seen = presence == AgentPresence.Silent && isCutShort ? seen ?? presence : presence;
            if (time.IsOver)
            {
                throw change == GuestPowerChange.Restart && seen != AgentPresence.Answers
                    ? ErrorCatalogue.AgentNotReady.With(
                        session.Endpoint, time.Limit.TotalSeconds,
                        $"its return from the restart was not observed; {Describe(seen.Value)}.")
                    : ErrorCatalogue.PowerChangeNotSeen.With(
                        session.Endpoint, Describe(change), time.Limit.TotalSeconds, Describe(seen.Value));
            }

            await time.DelayAsync(Pause, cancellationToken).ConfigureAwait(false);
        }
    }

    // Whether the agent answers now. The ping, if there is one, is asked first and not waited for.
    private static async Task<AgentPresence> LookAsync(
        GuestAgentSession session, GuestAgentRequest? ping, OperationTime time, bool isRestart, CancellationToken cancellationToken)
    {
        var wait = isRestart && session.NoReplyWait > MaxLookAtRestart ? MaxLookAtRestart : session.NoReplyWait;
        try
        {
            if (session.State != GuestAgentSessionState.Faulted && ping is not null)
            {
                await session.PostAsync(ping, time.Attempt(session.NoReplyWait)).ConfigureAwait(false);
            }

            if (session.State == GuestAgentSessionState.Faulted && !isRestart)
            {
                return AgentPresence.Gone;
            }

            if (!await TrySynchronizeAsync(session, time.Attempt(wait), cancellationToken).ConfigureAwait(false))
            {
                if (isRestart && ping is not null)
                {
                    // An unread request would wait for the next agent, whose answer looks like that of a slow one.
                    await session.ReopenAsync(time.Attempt(session.NoReplyWait)).ConfigureAwait(false);
                }

                return AgentPresence.Silent;
            }

            return AgentPresence.Answers;
        }
        catch (GuestAgentException e) when (e.ErrorId != ErrorCatalogue.SessionClosed.Id)
        {
            return session.State == GuestAgentSessionState.Faulted ? AgentPresence.Gone : AgentPresence.Silent;
        }
    }

    private static async Task<bool> TrySynchronizeAsync(GuestAgentSession session, CallOptions call, CancellationToken cancellationToken)
    {
        try
        {
            await session.SynchronizeAsync(call, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (GuestAgentException e) when (e.ErrorId != ErrorCatalogue.SessionClosed.Id && session.State != GuestAgentSessionState.Faulted)
        {
            return false;
        }
    }

    private static GuestAgentRequest RequestOf(GuestPowerChange change) => change switch
    {
        GuestPowerChange.PowerOff => ShutdownRequest("powerdown"),
        GuestPowerChange.Halt => ShutdownRequest("halt"),
        GuestPowerChange.Restart => ShutdownRequest("reboot"),
        GuestPowerChange.SuspendToDisk => new("guest-suspend-disk") { KeepsLateReply = true },
        GuestPowerChange.SuspendToMemory => new("guest-suspend-ram") { KeepsLateReply = true },
        _ => new("guest-suspend-hybrid") { KeepsLateReply = true },
    };

    private static GuestAgentRequest ShutdownRequest(string mode) => new("guest-shutdown", new Hashtable { ["mode"] = mode })
    {
        KeepsLateReply = true,
    };

    private static string Describe(GuestPowerChange change) => change switch
    {
        GuestPowerChange.PowerOff or GuestPowerChange.Halt => "shut down",
        GuestPowerChange.Restart => "restart",
        _ => "suspend",
    };

    private static string Describe(AgentPresence presence) => presence switch
    {
        AgentPresence.Answers => "its agent still answers",
        AgentPresence.Silent => "its agent is silent, but its virtual machine is switched on",
        _ => "its channel is closed",
    };
}
