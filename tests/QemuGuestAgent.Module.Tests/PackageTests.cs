using System.Diagnostics;
using System.IO.Compression;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace QemuGuestAgent.Module.Tests;

/// <summary>What is in the package, and the notices of what is not ours in it.</summary>
public sealed class PackageTests
{
    private static readonly string[] ByNuGet = ["_rels/", "package/", "[Content_Types].xml", "QemuGuestAgent.nuspec"];

    private static IEnumerable<string> Laid { get; } =
        Directory.GetFiles(Layout.Module, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Layout.Module, path).Replace('\\', '/')).Order(StringComparer.Ordinal);

    [Fact]
    public void It_holds_the_module_as_it_is_laid_out()
    {
        using var package = ZipFile.OpenRead(Layout.Package);
        Assert.Equal(Laid, package.Entries.Select(e => e.FullName).Where(name => !ByNuGet.Any(name.StartsWith)).Order(StringComparer.Ordinal));
        Assert.All(Laid, name =>
        {
            using var packed = new BinaryReader(package.GetEntry(name)!.Open());
            var file = File.ReadAllBytes(Path.Combine(Layout.Module, name));
            Assert.Equal(file, packed.ReadBytes(file.Length + 1));
        });
    }

    [Fact]
    public void Nothing_is_laid_out_but_what_a_module_needs() => Assert.All(Laid, name => Assert.Matches(
        @"^(QemuGuestAgent\.(psd1|(Format|Types)\.ps1xml)|CHANGELOG\.md|LICENSE|THIRD-PARTY-NOTICES\.md|icon\.png" +
        @"|en-US/(QemuGuestAgent\.dll-Help\.xml|about_\w+\.help\.txt)" +
        @"|bin/net(8\.0|472)/(QemuGuestAgent\.dll|Dependencies/(THIRD-PARTY-NOTICES\.TXT|[\w.]+\.dll)))$", name));

    [Fact]
    public void It_says_of_itself_what_the_manifest_says()
    {
        using var package = ZipFile.OpenRead(Layout.Package);
        using var stream = package.GetEntry("QemuGuestAgent.nuspec")!.Open();
        var metadata = XDocument.Load(stream).Root!.Elements().Single().Elements().ToDictionary(e => e.Name.LocalName, e => e.Value);
        Assert.Equal("QemuGuestAgent", metadata["id"]);
        Assert.Equal(ManifestValue("ModuleVersion"), metadata["version"]);
        Assert.Equal(ManifestValue("Author"), metadata["authors"]);
        Assert.Equal(ManifestValue("Description"), metadata["description"]);
        Assert.Equal(ManifestValue("LicenseUri"), metadata["licenseUrl"]);
        Assert.Equal(ManifestValue("ProjectUri"), metadata.GetValueOrDefault("projectUrl", ""));
        Assert.Equal(["PSModule", .. Layout.ManifestList("Tags")], metadata["tags"].Split(' '));
        Assert.DoesNotContain("dependencies", metadata.Keys);
    }

    [Fact]
    public void The_notices_name_each_shipped_package_and_its_version()
    {
        var shipped = new Dictionary<string, string> { ["net8.0"] = "PowerShell 7", ["net472"] = "Windows PowerShell" }.SelectMany(edition =>
            Layout.Assemblies(edition.Key).Where(path => !Path.GetFileName(path).StartsWith("QemuGuestAgent", StringComparison.Ordinal))
                .Select(path => $"{Path.GetFileNameWithoutExtension(path)} {PackageVersion(path)} {edition.Value}"));
        var named = Regex.Matches(Notices, @"(?m)^\| ([\w.]+) \| ([\d.]+) \| ([\w ]+) \| MIT \| [\w. ]+ \|$")
            .Select(row => $"{row.Groups[1]} {row.Groups[2]} {row.Groups[3]}");
        Assert.Equal(shipped.Order(StringComparer.Ordinal), named.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_notices_name_what_is_compiled_in()
    {
        var versions = File.ReadAllText(Path.Combine(Layout.RepositoryRoot, "Directory.Packages.props"));
        Assert.Contains($"PolySharp {Regex.Match(versions, @"""PolySharp"" Version=""([\d.]+)""").Groups[1]} ", Notices, StringComparison.Ordinal);
    }

    private static string Notices => File.ReadAllText(Path.Combine(Layout.Module, "THIRD-PARTY-NOTICES.md"));

    private static string ManifestValue(string key) => Regex.Match(Layout.Manifest, $@"\b{key} = '([^']+)'").Groups[1].Value;

    // .NET's packages have one assembly each, of the package's name, that says which version of the package it came with.
    private static string PackageVersion(string assembly) => FileVersionInfo.GetVersionInfo(assembly).ProductVersion!.Split('+')[0];
}
