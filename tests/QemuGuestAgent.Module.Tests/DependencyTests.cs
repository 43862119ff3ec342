using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace QemuGuestAgent.Module.Tests;

/// <summary>What is shipped fits together, on either edition.</summary>
public sealed class DependencyTests
{
    // What .NET Framework 4.7.2 itself brings, and the engine.
    private static readonly HashSet<string> NetFramework =
        ["mscorlib", "netstandard", "System", "System.Core", "System.Numerics", "System.Net.Http", "System.Xml", "System.Xml.Linq", "System.Management.Automation"];

    [Theory]
    [MemberData(nameof(Layout.Editions), MemberType = typeof(Layout))]
    public void No_engine_is_shipped(string edition)
    {
        Assert.NotEmpty(Layout.Assemblies(edition));
        Assert.DoesNotContain(Layout.Assemblies(edition), path => Path.GetFileName(path) == "System.Management.Automation.dll");
    }

    [Theory]
    [MemberData(nameof(Layout.Editions), MemberType = typeof(Layout))]
    public void Only_the_module_refers_to_the_engine(string edition) =>
        Assert.Equal(
            ["QemuGuestAgent.dll"],
            Layout.Assemblies(edition).Where(path => Read(path).References.ContainsKey("System.Management.Automation")).Select(Path.GetFileName));

    [Fact]
    public void Windows_PowerShell_needs_no_binding_redirect()
    {
        var shipped = Layout.Assemblies("net472").Select(Read).ToDictionary(a => a.Name, a => a.Version);
        foreach (var path in Layout.Assemblies("net472"))
        {
            foreach (var (name, version) in Read(path).References.Where(r => !NetFramework.Contains(r.Key)))
            {
                Assert.True(shipped.ContainsKey(name), $"{Path.GetFileName(path)} refers to {name} {version}, which is not shipped");
                Assert.True(shipped[name] == version, $"{Path.GetFileName(path)} refers to {name} {version}, but {shipped[name]} is shipped");
            }
        }
    }

    [Fact]
    public void PowerShell_gets_Pipelines_of_the_version_that_Core_was_built_with()
    {
        var assemblies = Layout.Assemblies("net8.0").Select(Read).ToDictionary(a => a.Name);
        Assert.Equal(assemblies["System.IO.Pipelines"].Version, assemblies["QemuGuestAgent.Core"].References["System.IO.Pipelines"]);
        Assert.DoesNotContain("System.Text.Json", assemblies.Keys);
    }

    private static (string Name, Version Version, IReadOnlyDictionary<string, Version> References) Read(string path)
    {
        using var file = new PEReader(File.OpenRead(path));
        var metadata = file.GetMetadataReader();
        var definition = metadata.GetAssemblyDefinition();
        return (
            metadata.GetString(definition.Name),
            definition.Version,
            metadata.AssemblyReferences.Select(metadata.GetAssemblyReference).ToDictionary(r => metadata.GetString(r.Name), r => r.Version));
    }
}
