using System.Text.RegularExpressions;

namespace QemuGuestAgent.Module.Tests;

public sealed class ManifestTests(ModuleMetadata module) : IClassFixture<ModuleMetadata>
{
    [Fact]
    public void Every_cmdlet_is_exported_by_name_and_nothing_else() =>
        Assert.Equal(module.Cmdlets.Select(ModuleMetadata.NameOf).Order(), Layout.ManifestList("CmdletsToExport").Order());

    [Theory]
    [InlineData("FunctionsToExport")]
    [InlineData("AliasesToExport")]
    [InlineData("VariablesToExport")]
    public void Nothing_but_cmdlets_is_exported(string key) => Assert.Matches($@"\b{key}\s*=\s*@\(\)", Layout.Manifest);

    [Fact]
    public void Every_file_that_the_manifest_names_is_laid_out()
    {
        string[] named =
        [
            .. Layout.ManifestList("FormatsToProcess"),
            .. Regex.Matches(Layout.Manifest, "'(bin/[^']+\\.dll)'").Select(m => m.Groups[1].Value),
        ];
        Assert.Equal(3, named.Length);
        Assert.All(named, name => Assert.True(File.Exists(Path.Combine(Layout.Module, name)), name));
    }

    [Fact]
    public void The_assemblies_have_the_version_of_the_manifest()
    {
        var version = Regex.Match(Layout.Manifest, @"ModuleVersion\s*=\s*'([^']+)'").Groups[1].Value;
        Assert.Equal(version, module.Module.GetName().Version!.ToString(3));
    }
}
