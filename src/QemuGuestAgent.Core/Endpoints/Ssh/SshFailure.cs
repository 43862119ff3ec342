using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints.Ssh;

/// <summary>What ssh says when it ends, as errors of the catalogue. Its messages are not translated.</summary>
internal static class SshFailure
{
    /// <summary>Whether sshd refused it for the number of others that were logging in: then it can be tried again.</summary>
    public static bool IsBusy(string said) =>
        Has(said, "_exchange_identification: Connection closed") || Has(said, "_exchange_identification: read: Connection reset")
        || Has(said, "Exceeded MaxStartups") || Has(said, "Not allowed at this time");

    /// <summary>Whether ssh might have got in if it could have asked the user.</summary>
    public static bool NeedsAnswer(string said) => (IsKeyUnknown(said) && !IsKeyChanged(said)) || IsDenied(said);

    /// <summary>The error for what ssh said.</summary>
    /// <param name="host">The host.</param>
    /// <param name="target">What was to be opened.</param>
    /// <param name="ended">The end of ssh.</param>
    public static GuestAgentException Explain(SshHost host, object target, ProcessEndedException ended)
    {
        var said = Words(ended);
        var command = host.Command;
        return
            IsBusy(said) ? ErrorCatalogue.SshHostBusy.Because(ended, target, said)
            : Has(said, "Could not resolve hostname") ? ErrorCatalogue.EndpointHostNotFound.Because(ended, target, said)
            : IsKeyChanged(said) ? ErrorCatalogue.SshHostKeyChanged.Because(ended, target, host, said)
            : IsKeyUnknown(said) ? ErrorCatalogue.SshHostKeyUnknown.Because(ended, target, host, said, command)
            : IsDenied(said) ? ErrorCatalogue.SshAccessDenied.Because(ended, target, said, command)
            : Has(said, "sudo: ") ? ErrorCatalogue.SshSudoDenied.Because(ended, target, said)
            : ErrorCatalogue.SshFailed.Because(ended, target, said, command);
    }

    // Its warnings are framed.
    private static string Words(ProcessEndedException ended)
    {
        var lines = ended.Errors.Split('\n').Select(line => line.Trim('\r', ' ', '@')).Where(line => line.Length > 0);
        return ended.Errors.Length > 0 ? string.Join("; ", lines) : ended.Message;
    }

    private static bool IsDenied(string said) => Has(said, "Permission denied (") || Has(said, "Too many authentication failures");

    private static bool IsKeyUnknown(string said) => Has(said, "Host key verification failed");

    private static bool IsKeyChanged(string said) => Has(said, "has changed and you have requested strict checking");

    private static bool Has(string said, string text) => said.Contains(text);
}
