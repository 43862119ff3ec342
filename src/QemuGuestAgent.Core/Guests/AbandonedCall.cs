using System.Text.Json;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests;

/// <summary>What a command has done whose caller gave up, where that must be undone.</summary>
internal static class AbandonedCall
{
    /// <summary>What tidying up may take, when the caller has already cancelled.</summary>
    public static readonly TimeSpan CleanupTime = TimeSpan.FromSeconds(5);

    /// <summary>Whether a command that failed with this error may have been carried out anyway.</summary>
    public static bool IsUnanswered(Exception e) =>
        e is OperationCanceledException || (e is GuestAgentException error && error.Is(ErrorCatalogue.CommandTimedOut));

    /// <summary>Whether a command that failed with this error has done nothing, and may do it later.</summary>
    public static bool IsPostponed(Exception e) =>
        e is GuestAgentException error && (error.Is(ErrorCatalogue.GuestFrozen) || error.Is(ErrorCatalogue.SessionBusy));

    /// <summary>Tidies up in the guest as far as its agent answers, for a caller that already knows why the work failed.</summary>
    public static async Task CleanUpAsync(Func<Task> work)
    {
        try
        {
            await work().ConfigureAwait(false);
        }
        catch (GuestAgentException)
        {
            // The agent does not answer: nothing more can be done from here.
        }
    }

    /// <summary>Waits for the late result of a request that keeps it, and undoes what it tells of. Nothing of it fails.</summary>
    public static async Task UndoAsync(this GuestAgentSession session, GuestAgentRequest request, Func<JsonElement, Task> undo)
    {
        try
        {
            if (request.LateReply is null)
            {
                await session.SynchronizeAsync(new CallOptions { Timeout = CleanupTime }).ConfigureAwait(false);
            }

            if (request.LateReply is { Error: null } late)
            {
                await undo(late.Result).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is GuestAgentException or FormatException or InvalidOperationException)
        {
            // The agent does not answer, or sends nonsense: nothing can be done, and the caller already knows why.
        }
    }
}
