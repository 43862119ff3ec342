using System.Xml.Linq;

namespace QemuGuestAgent.Module.Tests;

/// <summary>The conventions of PowerShell, held by metadata.</summary>
public sealed class CmdletTests(ModuleMetadata module) : IClassFixture<ModuleMetadata>
{
    private static readonly string[] ReadingVerbs = ["Get", "Test", "Find", "Wait", "Sync", "Connect"];

    [Fact]
    public void Every_cmdlet_says_what_it_writes() =>
        Assert.All(module.Cmdlets, cmdlet => Assert.NotNull(ModuleMetadata.Attribute(cmdlet, "OutputTypeAttribute")));

    [Fact]
    public void Every_cmdlet_is_in_a_file_of_its_own_name() =>
        Assert.All(module.Cmdlets, cmdlet => Assert.Single(Directory.GetFiles(
            Path.Combine(Layout.RepositoryRoot, "src", "QemuGuestAgent", "Cmdlets"), cmdlet.Name + ".cs", SearchOption.AllDirectories)));

    [Fact]
    public void A_cmdlet_supports_WhatIf_where_it_changes_something_and_only_there() =>
        Assert.All(module.Cmdlets, cmdlet => Assert.Equal(
            !ReadingVerbs.Contains(ModuleMetadata.NameOf(cmdlet).Split('-')[0]), ModuleMetadata.SupportsShouldProcess(cmdlet)));

    [Fact]
    public void Session_is_an_array_everywhere_and_comes_by_pipeline() =>
        Assert.All(module.Cmdlets.SelectMany(ModuleMetadata.Parameters).Where(p => p.Name == "Session"), parameter =>
        {
            Assert.Equal("AgentSession[]", parameter.PropertyType.Name);
            Assert.Contains(parameter.GetCustomAttributesData(), a => a.AttributeType.Name == "ParameterAttribute"
                && a.NamedArguments.Any(n => n.MemberName == "ValueFromPipeline" && n.TypedValue.Value is true));
        });

    [Fact]
    public void No_public_type_derives_from_or_implements_a_type_of_Core() =>
        Assert.All(module.Module.GetExportedTypes(), type =>
        {
            for (var parent = type.BaseType; parent is not null; parent = parent.BaseType)
            {
                Assert.False(IsDependency(parent), $"{type} derives from {parent}");
            }

            Assert.DoesNotContain(type.GetInterfaces(), IsDependency);
        });

    [Fact]
    public void Every_type_that_a_cmdlet_writes_has_a_view()
    {
        var views = XDocument.Load(Path.Combine(Layout.Module, "QemuGuestAgent.Format.ps1xml")).Descendants("TypeName").Select(e => e.Value).ToHashSet();
        var written = module.Cmdlets
            .SelectMany(ModuleMetadata.Outputs)
            .Select(output => output as string ?? ((Type)output).FullName!)
            .Where(name => name.StartsWith("QemuGuestAgent.", StringComparison.Ordinal) && !name.StartsWith("QemuGuestAgent.Core.", StringComparison.Ordinal))
            .ToHashSet();
        Assert.NotEmpty(written);
        Assert.All(written, name =>
        {
            Assert.Contains(name, views);
            Assert.Contains("Deserialized." + name, views);
        });
    }

    private static bool IsDependency(Type type) =>
        type.Assembly.GetName().Name is "QemuGuestAgent.Core" or "QemuGuestAgent.EmbeddedAgent" or "System.IO.Pipelines";
}
