using System.Collections;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Completion;

/// <summary>
/// Completes names that only the guest knows. It asks guests with a session that is ready, opens no endpoint, and does not wait long:
/// of a guest that does not answer, or refuses, nothing is offered.
/// </summary>
public abstract class GuestNameCompleter : NameCompleter
{
    private const int MaxGuests = 8;

    private static readonly TimeSpan NoReplyWait = TimeSpan.FromMilliseconds(400);

    private protected sealed override IEnumerable<(string Name, string Tip)> Offers(IDictionary bound)
    {
        var call = new CallOptions { Timeout = NoReplyWait };
        var asked = GivenSessions.Of(bound)
            .Where(session => session.State == GuestAgentSessionState.Ready)
            .Take(MaxGuests)
            .Select(session => (session.Name, Answer: Task.Run(() => AskAsync(session.Core, call))))
            .ToList();
        Task.WaitAny([Task.WhenAll(asked.Select(guest => guest.Answer))], NoReplyWait);
        return asked
            .Where(guest => guest.Answer.Status == TaskStatus.RanToCompletion)
            .SelectMany(guest => guest.Answer.Result.Select(name => (name, guest.Name)));
    }

    // Asks a guest for its names of this kind.
    private protected abstract Task<IEnumerable<string>> AskAsync(GuestAgentSession session, CallOptions call);
}
