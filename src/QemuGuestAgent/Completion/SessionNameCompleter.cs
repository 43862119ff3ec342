using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace QemuGuestAgent.Completion;

/// <summary>Completes the name of a session of this runspace.</summary>
public sealed class SessionNameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var start = wordToComplete.Trim('\'', '"');
        return SessionRegistry.OfThisRunspace.Sessions
            .Where(session => session.FullName.StartsWith(start, StringComparison.OrdinalIgnoreCase))
            .OrderBy(session => session.FullName, StringComparer.OrdinalIgnoreCase)
            .Select(session => new CompletionResult(
                SafeName.Quote(WildcardPattern.Escape(session.FullName)), session.FullName, CompletionResultType.ParameterValue,
                $"{session.State}, {session.Endpoint}"));
    }
}
