using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace QemuGuestAgent.Core.Tests;

/// <summary>Core knows nothing of PowerShell: its metadata says what it refers to.</summary>
public sealed class CoreAssemblyTests
{
    [Theory]
    [InlineData("net8.0")]
    [InlineData("net472")]
    public void Core_refers_to_nothing_of_PowerShell(string framework)
    {
        var references = References(framework);
        Assert.NotEmpty(references);
        Assert.All(references, name =>
            Assert.Matches(@"^(System(\..+)?|mscorlib|netstandard|Microsoft\.(Bcl\.(TimeProvider|AsyncInterfaces)|Win32\.Primitives))$", name));
        Assert.DoesNotContain(references, name => name.StartsWith("System.Management", StringComparison.Ordinal));
    }

    private static List<string> References(string framework)
    {
        // In the configuration that the tests were built in.
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var file = Path.Combine(
            Repository.Root, "src", "QemuGuestAgent.Core", "bin", configuration, framework, "QemuGuestAgent.Core.dll");
        Assert.SkipUnless(File.Exists(file), $"Core is not built for {framework}: there is no '{file}'.");
        using var image = new PEReader(File.OpenRead(file));
        var metadata = image.GetMetadataReader();
        return metadata.AssemblyReferences
            .Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name)).ToList();
    }
}
