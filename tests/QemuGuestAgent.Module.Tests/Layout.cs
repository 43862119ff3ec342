using System.Reflection;
using System.Text.RegularExpressions;

namespace QemuGuestAgent.Module.Tests;

/// <summary>Where the build put what the tests look at.</summary>
internal static class Layout
{
    public static string RepositoryRoot { get; } = Metadata("RepositoryRoot");

    public static string Module { get; } = Metadata("ModuleLayout");

    public static string Package { get; } = Metadata("Package");

    /// <summary>Where NuGet keeps packages.</summary>
    public static string Packages { get; } = Metadata("Packages");

    public static string Pester { get; } = Metadata("Pester");

    public static string PowerShellStandard { get; } = Metadata("PowerShellStandard");

    /// <summary>The editions that are shipped, by the folder under bin.</summary>
    public static TheoryData<string> Editions => ["net8.0", "net472"];

    public static string Manifest { get; } = File.ReadAllText(Path.Combine(Module, "QemuGuestAgent.psd1"));

    /// <summary>All libraries of an edition.</summary>
    public static string[] Assemblies(string edition) =>
        Directory.GetFiles(Path.Combine(Module, "bin", edition), "*.dll", SearchOption.AllDirectories);

    /// <summary>The strings of a list in the manifest.</summary>
    public static string[] ManifestList(string key) =>
        [.. Regex.Matches(Regex.Match(Manifest, $@"(?s)\b{key}\s*=\s*@\((.*?)\)").Groups[1].Value, "'([^']+)'").Select(m => m.Groups[1].Value)];

    private static string Metadata(string key) =>
        typeof(Layout).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == key).Value!;
}
