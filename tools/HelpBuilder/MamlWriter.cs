using System.Globalization;
using System.Xml.Linq;

namespace HelpBuilder;

/// <summary>Writes help in the form that Get-Help reads.</summary>
internal static class MamlWriter
{
    private static readonly XNamespace Msh = "http://msh";
    private static readonly XNamespace Maml = "http://schemas.microsoft.com/maml/2004/10";
    private static readonly XNamespace Command = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private static readonly XNamespace Dev = "http://schemas.microsoft.com/maml/dev/2004/10";

    /// <summary>Writes the help of cmdlets to a file.</summary>
    /// <param name="topics">The cmdlets, each with the names of other topics that it is related to.</param>
    /// <param name="project">Where the project's repository is on the Web, or null where it is not.</param>
    /// <param name="path">The file.</param>
    public static void Write(IEnumerable<(Cmdlet Cmdlet, Topic Topic, IEnumerable<string> Related)> topics, string? project, string path) =>
        new XDocument(new XElement(Msh + "helpItems", new XAttribute("schema", "maml"), topics.Select(t => Of(t.Cmdlet, t.Topic, t.Related, project)))).Save(path);

    private static XElement Of(Cmdlet cmdlet, Topic topic, IEnumerable<string> related, string? project) => new(
        Command + "command",
        new XAttribute(XNamespace.Xmlns + "maml", Maml),
        new XAttribute(XNamespace.Xmlns + "command", Command),
        new XAttribute(XNamespace.Xmlns + "dev", Dev),
        new XElement(
            Command + "details",
            new XElement(Command + "name", cmdlet.Name),
            new XElement(Maml + "description", Paragraph(cmdlet.Synopsis)),
            new XElement(Command + "verb", cmdlet.Name.Split('-')[0]),
            new XElement(Command + "noun", cmdlet.Name.Split('-')[1])),
        new XElement(Maml + "description", topic.Description.Select(Paragraph)),
        new XElement(Command + "syntax", cmdlet.Sets.Select(set => SyntaxOf(cmdlet, set))),
        new XElement(Command + "parameters", cmdlet.Parameters.Select(parameter => Of(parameter, UseToShow(cmdlet, parameter)))),
        new XElement(Command + "inputTypes", InputsOf(cmdlet)),
        new XElement(Command + "returnValues", cmdlet.Outputs.Select(type => TypeOf(Command + "returnValue", type, ""))),
        new XElement(Command + "examples", topic.Examples.Select(Of)),
        new XElement(
            Maml + "relatedLinks",
            project is null ? null : Link("Online", $"{project}/blob/main/docs/en-US/{cmdlet.Name}.md"),
            related.Select(name => Link(name, ""))));

    // Get-Help -Online opens the first link that has an address.
    private static XElement Link(string text, string address) =>
        new(Maml + "navigationLink", new XElement(Maml + "linkText", text), new XElement(Maml + "uri", address));

    // Positions first, then what must be given, then the rest: so the engine's own syntax is ordered.
    private static XElement SyntaxOf(Cmdlet cmdlet, string set) => new(
        Command + "syntaxItem",
        new XElement(Maml + "name", cmdlet.Name),
        cmdlet.Parameters
            .Where(parameter => parameter.In(set) is not null)
            .OrderBy(parameter => parameter.In(set)!.Position ?? int.MaxValue)
            .ThenByDescending(parameter => parameter.In(set)!.IsMandatory)
            .Select(parameter => Of(parameter, parameter.In(set)!, inSyntax: true)));

    private static XElement Of(CmdletParameter parameter, ParameterUse use, bool inSyntax = false) => new(
        Command + "parameter",
        new XAttribute("required", Word(use.IsMandatory)),
        new XAttribute("variableLength", Word(parameter.IsArray)),
        new XAttribute("globbing", Word(parameter.Globs)),
        new XAttribute("pipelineInput", PipelineInput(use)),
        new XAttribute("position", use.Position?.ToString(CultureInfo.InvariantCulture) ?? "named"),
        new XAttribute("aliases", parameter.Aliases.Count > 0 ? string.Join(", ", parameter.Aliases) : "none"),
        new XElement(Maml + "name", parameter.Name),
        new XElement(Maml + "description", Paragraph(parameter.Description), ValuesOf(parameter)),
        inSyntax && parameter.Values.Count > 0
            ? new XElement(Command + "parameterValueGroup", parameter.Values.Select(value => new XElement(
                Command + "parameterValue", new XAttribute("required", "false"), new XAttribute("variableLength", "false"), value)))
            : null,
        inSyntax && parameter.IsSwitch
            ? null
            : new XElement(
                Command + "parameterValue",
                new XAttribute("required", Word(!parameter.IsSwitch)),
                new XAttribute("variableLength", Word(parameter.IsArray)),
                parameter.Type),
        new XElement(Dev + "type", new XElement(Maml + "name", parameter.Type), new XElement(Maml + "uri")),
        new XElement(Dev + "defaultValue", parameter.Default));

    private static XElement? ValuesOf(CmdletParameter parameter) =>
        parameter.Values.Count > 0 ? Paragraph($"Values: {string.Join(", ", parameter.Values)}.") : null;

    // The list of parameters shows each once: as it is in the default set, or else in the first that has it.
    private static ParameterUse UseToShow(Cmdlet cmdlet, CmdletParameter parameter) =>
        cmdlet.Sets.Select(parameter.In).First(use => use is not null)!;

    private static IEnumerable<XElement> InputsOf(Cmdlet cmdlet)
    {
        var piped = cmdlet.Parameters.Where(p => p.Uses.Values.Any(use => use.FromPipeline)).ToList();
        return piped.Count > 0
            ? piped.Select(parameter => TypeOf(Command + "inputType", parameter.Type, $"Taken as -{parameter.Name}. {parameter.Description}"))
            : [TypeOf(Command + "inputType", "None", "")];
    }

    private static XElement TypeOf(XName name, string type, string text) => new(
        name,
        new XElement(Dev + "type", new XElement(Maml + "name", type), new XElement(Maml + "uri")),
        new XElement(Maml + "description", Paragraph(text)));

    private static XElement Of(Example example, int index) => new(
        Command + "example",
        new XElement(Maml + "title", $"-------- Example {index + 1}: {example.Title} --------"),
        new XElement(Dev + "code", example.Code),
        new XElement(Dev + "remarks", (example.Output is null ? example.Remarks : [example.Output, .. example.Remarks]).Select(Paragraph)));

    private static string PipelineInput(ParameterUse use)
    {
        string?[] ways = [use.FromPipeline ? "ByValue" : null, use.FromPipelineByName ? "ByPropertyName" : null];
        var taken = string.Join(", ", ways.OfType<string>());
        return taken.Length > 0 ? $"True ({taken})" : "False";
    }

    private static string Word(bool value) => value ? "true" : "false";

    private static XElement Paragraph(string text) => new(Maml + "para", text);
}
