using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace QemuGuestAgent.Completion;

/// <summary>Completes a guest: the names of open sessions, and what completes an endpoint.</summary>
public sealed class GuestCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        new SessionNameCompleter().CompleteArgument(commandName, parameterName, wordToComplete, commandAst, fakeBoundParameters).Concat(
            new EndpointCompleter().CompleteArgument(commandName, parameterName, wordToComplete, commandAst, fakeBoundParameters));
}
