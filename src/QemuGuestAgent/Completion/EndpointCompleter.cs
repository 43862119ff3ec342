using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace QemuGuestAgent.Completion;

/// <summary>Completes an endpoint with the guests and channels found on this host, with the kinds of endpoints, and as a path.</summary>
public sealed class EndpointCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var start = wordToComplete.Trim('\'', '"');
        // After a single letter, a colon belongs to a drive.
        return HostChannels.Find()
            .SelectMany(channel => new[] { channel.Name, channel.Endpoint }
                .Select(text => (Text: text, Tip: $"{channel.Name}: {channel.Source}, {channel.State}, {channel.Endpoint}")))
            .Concat(Endpoints.Kinds.Select(kind => (Text: kind.Start, Tip: kind.Syntax)))
            .Where(offer => offer.Text.StartsWith(start, StringComparison.OrdinalIgnoreCase))
            .Select(offer => new CompletionResult(SafeName.Quote(offer.Text), offer.Text, CompletionResultType.ParameterValue, offer.Tip))
            .Concat(start.IndexOfAny(['/', '\\']) >= 0 && start.IndexOf(':') <= 1 ? CompletionCompleters.CompleteFilename(wordToComplete) : []);
    }
}
