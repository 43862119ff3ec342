using System.Reflection;

namespace QemuGuestAgent.Core.Tests;

/// <summary>Where the sources are, as the build says.</summary>
internal static class Repository
{
    public static string Root { get; } =
        typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;
}
