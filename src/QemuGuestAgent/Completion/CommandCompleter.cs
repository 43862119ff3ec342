using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using QemuGuestAgent.Core.Schema;

namespace QemuGuestAgent.Completion;

/// <summary>
/// Completes the name of a command from what the agents reported at their last synchronisation, or from QEMU's schema. It sends
/// nothing.
/// </summary>
public sealed class CommandCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var start = wordToComplete.Trim('\'', '"');
        var told = GivenSessions.Of(fakeBoundParameters)
            .SelectMany(session => session.Core.Agent?.Commands.Values ?? [])
            .GroupBy(command => command.Name, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Any(command => command.Enabled), StringComparer.Ordinal);
        return (told.Count > 0 ? told.Keys : CommandSchema.All.Select(command => command.Name))
            .Where(name => name.StartsWith(start, StringComparison.OrdinalIgnoreCase))
            .OrderBy(name => name, StringComparer.Ordinal)
            .Select(name => Complete(name, !told.TryGetValue(name, out var enabled) || enabled));
    }

    private static CompletionResult Complete(string name, bool enabled)
    {
        var text = SafeName.Quote(name);
        var tip = CommandSchema.Find(name) is { } known
            ? $"{known.Synopsis} Since QEMU {known.Since}."
            : $"{text}: not in QEMU's schema.";
        return new CompletionResult(
            text, text, CompletionResultType.ParameterValue, enabled ? tip : $"{tip} Disabled in the guest.");
    }
}
