using System.Text.RegularExpressions;

namespace HelpBuilder;

/// <summary>What else to read after the help of a cmdlet.</summary>
internal static class RelatedTopics
{
    private const string Everything = "about_QemuGuestAgent";

    /// <summary>The topics that its help mentions, the cmdlets of the same noun, and the module's own topic.</summary>
    /// <param name="cmdlet">The cmdlet.</param>
    /// <param name="topic">Its help.</param>
    /// <param name="names">The names of all topics, in the order wanted.</param>
    public static IEnumerable<string> Of(Cmdlet cmdlet, Topic topic, IEnumerable<string> names)
    {
        IEnumerable<string> texts =
        [
            cmdlet.Synopsis, .. cmdlet.Parameters.Select(parameter => parameter.Description), .. topic.Description,
            .. topic.Examples.SelectMany(example => example.Remarks.Prepend(example.Code)),
        ];
        var words = Regex.Matches(string.Join("\n", texts), @"[\w-]+").Select(match => match.Value).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var noun = cmdlet.Name.Split('-')[1];
        return names.Where(name => name != cmdlet.Name && (words.Contains(name) || name.EndsWith("-" + noun, StringComparison.Ordinal) || name == Everything));
    }
}
