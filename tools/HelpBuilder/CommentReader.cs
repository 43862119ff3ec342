using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace HelpBuilder;

/// <summary>The summaries in the compiler's documentation file.</summary>
internal sealed class CommentReader(string path, Faults faults)
{
    private readonly Dictionary<string, XElement> _summaries = XDocument.Load(path).Descendants("member")
        .Where(member => member.Element("summary") is not null)
        .ToDictionary(member => (string)member.Attribute("name")!, member => member.Element("summary")!);

    /// <summary>The summary of a type.</summary>
    public string Of(Type type) => Find($"T:{type.FullName}", $"the class {type.Name}");

    /// <summary>The summary of a property, by the type that declares it.</summary>
    public string Of(PropertyInfo property) =>
        Find($"P:{property.DeclaringType!.FullName}.{property.Name}", $"the parameter {property.DeclaringType.Name}.{property.Name}");

    private string Find(string id, string what)
    {
        if (_summaries.TryGetValue(id, out var summary) && Text(summary) is { Length: > 0 } text)
        {
            return text;
        }

        faults.Add(path, 1, $"Write a doc comment with a <summary> for {what}: it is its help.");
        return "";
    }

    private static string Text(XElement summary)
    {
        var words = summary.Nodes().Select(node => node switch
        {
            XText text => text.Value,
            XElement { Name.LocalName: "see" } see =>
                ((string?)see.Attribute("langword") ?? (string?)see.Attribute("cref") ?? see.Value).Split('.', ':')[^1],
            XElement element => element.Value,
            _ => "",
        });
        return Regex.Replace(string.Concat(words), @"\s+", " ").Trim();
    }
}
