using System.Reflection;

namespace QemuGuestAgent.Core.Tests;

/// <summary>Where the sources are, as the build says, and whether tests may change them.</summary>
internal static class Repository
{
    /// <summary>Makes tests rewrite the documents that they compare with the code.</summary>
    public const string UpdateVariable = "UPDATE_DOCUMENTS";

    public static bool IsToBeUpdated => Environment.GetEnvironmentVariable(UpdateVariable) is not null;

    public static string Root { get; } =
        typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;
}
