using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using QemuGuestAgent.Core.Schema;

namespace QemuGuestAgent.Completion;

/// <summary>
/// Completes the arguments of a command to a hashtable with the keys of QEMU's schema: first the required ones, then all. The
/// values are left empty, so that nothing can be sent before they are filled in.
/// </summary>
public sealed class CommandArgumentsCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        if (CommandSchema.Find(fakeBoundParameters["Command"] as string ?? "") is not { } command)
        {
            return [];
        }

        var needed = command.Arguments.Where(argument => !argument.IsOptional).ToList();
        var tip = command.Arguments.Count > 0 ? string.Join(", ", command.Arguments) : "no arguments";
        return new[] { needed, command.Arguments }
            .Where((arguments, index) => index == 1 || (arguments.Count > 0 && arguments.Count < command.Arguments.Count))
            .Select(Skeleton)
            .Where(text => text.StartsWith(wordToComplete.Trim(), StringComparison.OrdinalIgnoreCase))
            .Select(text => new CompletionResult(text, text, CompletionResultType.ParameterValue, $"{command.Name}: {tip}"));
    }

    private static string Skeleton(IReadOnlyList<CommandArgument> arguments) => arguments.Count > 0
        ? $"@{{ {string.Join(" ; ", arguments.Select(argument => $"{SafeName.Key(argument.Name)} ="))} }}"
        : "@{}";
}
