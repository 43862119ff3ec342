using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Completion;

/// <summary>Completes the name of a command from what the agents said at their last synchronisation: it asks nobody.</summary>
public sealed class CommandCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var pattern = WildcardPattern.Get(wordToComplete.Trim('\'', '"') + "*", WildcardOptions.IgnoreCase);
        var bound = LanguagePrimitives.TryConvertTo(fakeBoundParameters["Session"], out AgentSession[] sessions) && sessions is { Length: > 0 };
        return (bound ? sessions : SessionRegistry.OfThisRunspace.Sessions)
            .SelectMany(session => session.Core.Agent?.Commands.Values ?? [])
            .Where(command => pattern.IsMatch(command.Name))
            .GroupBy(command => command.Name, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => Complete(group.First()));
    }

    private static CompletionResult Complete(GuestAgentCommandInfo command)
    {
        var name = SafeName.Quote(command.Name);
        return new CompletionResult(
            name, name, CompletionResultType.ParameterValue, command.Enabled ? name : $"{name} (disabled by the agent's policy)");
    }
}
