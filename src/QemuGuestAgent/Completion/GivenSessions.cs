using System.Collections;
using System.Management.Automation;

namespace QemuGuestAgent.Completion;

/// <summary>The open sessions that a command line is about.</summary>
internal static class GivenSessions
{
    /// <summary>
    /// The sessions that are given as -Session, as far as they are known before the command runs; none where an endpoint is given; or else
    /// all of this runspace.
    /// </summary>
    public static IReadOnlyList<AgentSession> Of(IDictionary bound) =>
        LanguagePrimitives.TryConvertTo(bound["Session"], out AgentSession[] sessions) && sessions is { Length: > 0 }
            ? sessions
            : bound.Contains("Endpoint") ? [] : SessionRegistry.OfThisRunspace.Sessions;
}
