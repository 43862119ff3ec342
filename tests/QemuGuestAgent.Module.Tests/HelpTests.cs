using System.Xml.Linq;

namespace QemuGuestAgent.Module.Tests;

/// <summary>The help file that the build made, against the manifest and the cmdlets.</summary>
public sealed class HelpTests(ModuleMetadata module) : IClassFixture<ModuleMetadata>
{
    private static readonly XNamespace Maml = "http://schemas.microsoft.com/maml/2004/10";
    private static readonly XNamespace Command = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private static readonly XNamespace Dev = "http://schemas.microsoft.com/maml/dev/2004/10";

    private static readonly Dictionary<string, XElement> Help = XDocument
        .Load(Path.Combine(Layout.Module, "en-US", "QemuGuestAgent.dll-Help.xml")).Descendants(Command + "command")
        .ToDictionary(help => help.Element(Command + "details")!.Element(Command + "name")!.Value);

    public static TheoryData<string> Cmdlets => [.. Layout.ManifestList("CmdletsToExport")];

    [Fact]
    public void What_is_exported_has_help_and_nothing_else() =>
        Assert.Equal(Layout.ManifestList("CmdletsToExport").Order(), Help.Keys.Order());

    [Theory]
    [MemberData(nameof(Cmdlets))]
    public void A_cmdlet_has_a_synopsis_and_a_description(string name)
    {
        Assert.EndsWith(".", Help[name].Element(Command + "details")!.Element(Maml + "description")!.Value, StringComparison.Ordinal);
        Assert.NotEmpty(Help[name].Element(Maml + "description")!.Value);
    }

    [Theory]
    [MemberData(nameof(Cmdlets))]
    public void Each_parameter_is_described_and_no_other(string name)
    {
        var cmdlet = module.Cmdlets.Single(type => ModuleMetadata.NameOf(type) == name);
        string[] byEngine = ModuleMetadata.SupportsShouldProcess(cmdlet) ? ["Confirm", "WhatIf"] : [];
        var described = Help[name].Element(Command + "parameters")!.Elements(Command + "parameter").ToList();
        Assert.Equal(
            ModuleMetadata.Parameters(cmdlet).Where(p => !ModuleMetadata.IsHidden(p)).Select(p => p.Name).Concat(byEngine).Order(),
            described.Select(p => p.Element(Maml + "name")!.Value).Order());
        Assert.All(described, p => Assert.EndsWith(".", p.Element(Maml + "description")!.Value, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Cmdlets))]
    public void A_cmdlet_has_two_examples_at_least_each_with_code_and_a_word_on_it(string name)
    {
        var examples = Help[name].Element(Command + "examples")!.Elements(Command + "example").ToList();
        Assert.True(examples.Count >= 2);
        Assert.All(examples, example =>
        {
            Assert.Contains(name, example.Element(Dev + "code")!.Value, StringComparison.Ordinal);
            Assert.NotEmpty(example.Element(Dev + "remarks")!.Value);
        });
    }
}
