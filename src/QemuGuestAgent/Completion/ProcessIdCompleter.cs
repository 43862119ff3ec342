using System.Collections;
using System.Globalization;

namespace QemuGuestAgent.Completion;

/// <summary>Completes the id of a process that was started through a session and is not known to have ended. It sends nothing.</summary>
public sealed class ProcessIdCompleter : NameCompleter
{
    private protected override IEnumerable<(string Name, string Tip)> Offers(IDictionary bound) =>
        from session in GivenSessions.Of(bound)
        from process in session.Processes.All
        select (process.Pid.ToString(CultureInfo.InvariantCulture), $"{process.FilePath} in {session.Name}");
}
