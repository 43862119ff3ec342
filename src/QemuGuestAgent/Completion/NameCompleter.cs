using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Completion;

/// <summary>Completes an argument with names of one kind, and never with the names of local files.</summary>
public abstract class NameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var start = wordToComplete.Trim('\'', '"');
        var isPattern = TakesWildcards(commandName, parameterName);
        return Offers(fakeBoundParameters)
            .Where(offer => offer.Name.Length > 0 && offer.Name.StartsWith(start, StringComparison.OrdinalIgnoreCase))
            .GroupBy(offer => offer.Name, StringComparer.Ordinal)
            .Select(group => new CompletionResult(
                SafeName.Quote(isPattern ? WildcardPattern.Escape(group.Key) : group.Key),
                SafeText.Escape(group.Key),
                CompletionResultType.ParameterValue,
                SafeText.Escape(string.Join(", ", group.Select(offer => offer.Tip).Distinct()))));
    }

    // The names, each with what there is to say about it.
    private protected abstract IEnumerable<(string Name, string Tip)> Offers(IDictionary bound);

    private static bool TakesWildcards(string command, string parameter)
    {
        var name = command.Substring(command.LastIndexOf('\\') + 1).Replace("-", "");
        var cmdlet = typeof(NameCompleter).Assembly.GetType($"QemuGuestAgent.Commands.{name}Command", throwOnError: false, ignoreCase: true);
        return cmdlet?.GetProperty(parameter)?.IsDefined(typeof(SupportsWildcardsAttribute), inherit: true) == true;
    }
}
