using System.Reflection;
#if NET
using System.Runtime.Loader;
#endif

namespace QemuGuestAgent.Loading;

/// <summary>
/// Finds the module's own libraries in its Dependencies folder, so that they do not clash with another version of the same library that PowerShell
/// or another module has loaded. No public type of this assembly may derive from or implement one of theirs, and no virtual method
/// may have one of their value types in its signature: the runtime looks at those before <see cref="Register"/> has run.
/// </summary>
internal static class DependencyLoader
{
    private static readonly string Folder =
        Path.Combine(Path.GetDirectoryName(typeof(DependencyLoader).Assembly.Location)!, "Dependencies");

    private static int _registered;

    /// <summary>Registers the resolution of the libraries, once per process.</summary>
    public static void Register()
    {
        if (Interlocked.Exchange(ref _registered, 1) == 0)
        {
#if NET
            var context = new DependencyContext();
            AssemblyLoadContext.Default.Resolving += (_, name) => IsOurs(name.Name) ? context.LoadFromAssemblyName(name) : null;
#else
            AppDomain.CurrentDomain.AssemblyResolve += (_, request) => Find(new AssemblyName(request.Name)) is { } path ? Assembly.LoadFrom(path) : null;
#endif
        }
    }

#if NET
    // Only these are requested from the default context; their own dependencies are resolved in theirs.
    private static bool IsOurs(string? name) => name is "QemuGuestAgent.Core" or "QemuGuestAgent.EmbeddedAgent";

    private static string? Find(AssemblyName name) =>
        Path.Combine(Folder, name.Name + ".dll") is var path && File.Exists(path) ? path : null;

    private sealed class DependencyContext() : AssemblyLoadContext("QemuGuestAgent")
    {
        protected override Assembly? Load(AssemblyName assemblyName) => Find(assemblyName) is { } path ? LoadFromAssemblyPath(path) : null;
    }
#else
    // .NET Framework has one context for all: only resolve the exact version that we were built with.
    private static string? Find(AssemblyName name) =>
        Path.Combine(Folder, name.Name + ".dll") is var path && File.Exists(path) && AssemblyName.GetAssemblyName(path).Version == name.Version
            ? path
            : null;
#endif
}
