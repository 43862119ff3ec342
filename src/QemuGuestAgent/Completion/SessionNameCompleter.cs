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
            .Where(session => session.Name.StartsWith(start, StringComparison.OrdinalIgnoreCase))
            .OrderBy(session => session.Name, StringComparer.OrdinalIgnoreCase)
            .Select(session => new CompletionResult(
                SafeName.Quote(WildcardPattern.Escape(session.Name)), session.Name, CompletionResultType.ParameterValue,
                $"{session.State}, {session.Endpoint}"));
    }
}
