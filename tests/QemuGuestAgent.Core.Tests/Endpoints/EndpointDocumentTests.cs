using System.Text.RegularExpressions;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Endpoints;

public sealed class EndpointDocumentTests
{
    private static readonly EndpointGrammar Grammar = EndpointGrammar.Default.With(EmbeddedEndpoint.Kind);

    [Fact]
    public void The_topic_has_a_section_for_each_kind_and_no_other() => Assert.Equal(
        Grammar.Kinds.Select(kind => kind.Scheme).Order(StringComparer.Ordinal),
        Regex.Matches(Document("Endpoints"), "(?m)^## ([a-z]+):").Select(heading => heading.Groups[1].Value).Order(StringComparer.Ordinal));

    [Fact]
    public void The_topic_on_security_says_of_each_kind_what_it_starts()
    {
        var section = Regex.Match(Document("Security"), @"(?s)^## An endpoint is code\n(.+?)^## ", RegexOptions.Multiline).Groups[1].Value;
        Assert.Equal(
            Grammar.Kinds.Select(kind => kind.Scheme).Order(StringComparer.Ordinal),
            Regex.Matches(section, "(?m)^- .*$").SelectMany(line => Regex.Matches(line.Value, @"(?<=^- |, |and )([a-z]+)[:+]"))
                .Select(kind => kind.Groups[1].Value).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_topic_on_tests_tells_each_option_of_the_embedded_agent()
    {
        var refusal = Assert.Throws<GuestAgentException>(() => Grammar.Parse("embedded:?none-such=1")).Message;
        var options = Regex.Match(refusal, @"known: ([\w, -]+)").Groups[1].Value.Split(", ");
        Assert.True(options.Length > 10);
        var list = string.Concat(Document("Testing_Scripts").Split('\n').Where(line => line.StartsWith("- ", StringComparison.Ordinal)));
        Assert.All(options, option => Assert.Matches($@"(?<![\w-]){option}[,: (]", list));
    }

    private static string Document(string topic) =>
        File.ReadAllText(Path.Combine(Repository.Root, "docs", "en-US", $"about_QemuGuestAgent_{topic}.md"));
}
