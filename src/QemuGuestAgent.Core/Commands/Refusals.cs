using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Commands;

/// <summary>What an agent refuses, where the answer is only one part of many.</summary>
internal static class Refusals
{
    private static readonly string[] Ids =
    [
        ErrorCatalogue.AgentError.Id,
        ErrorCatalogue.CommandNotFound.Id,
        ErrorCatalogue.CommandDisabled.Id,
        ErrorCatalogue.GuestFrozen.Id,
        ErrorCatalogue.ReplyUnexpected.Id,
    ];

    /// <summary>The answer, or the default where the agent answered with an error: not where it did not answer.</summary>
    public static async Task<T?> OrDefaultIfRefused<T>(this Task<T> query)
    {
        try
        {
            return await query.ConfigureAwait(false);
        }
        catch (GuestAgentException e) when (Ids.Contains(e.ErrorId))
        {
            return default;
        }
    }
}
