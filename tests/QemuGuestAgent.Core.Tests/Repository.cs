using System.Reflection;

namespace QemuGuestAgent.Core.Tests;

/// <summary>Where the sources are, as the build says, and whether tests may change them.</summary>
internal static class Repository
{
    /// <summary>Asks the tests to write anew the documents that they hold against the code.</summary>
    public const string UpdateVariable = "UPDATE_DOCUMENTS";

    public static bool IsToBeUpdated => Environment.GetEnvironmentVariable(UpdateVariable) is not null;

    public static string Root { get; } =
        typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;
}
