using System.Management.Automation;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent;

/// <summary>Resolves PowerShell paths to files on this computer.</summary>
internal static class LocalPaths
{
    /// <summary>The full paths that match a path with wildcards.</summary>
    /// <exception cref="GuestAgentException">FileNotReadable.</exception>
    public static IReadOnlyList<string> Find(SessionState session, string path)
    {
        try
        {
            var files = session.Path.GetResolvedProviderPathFromPSPath(path, out var provider);
            return Checked(path, provider, files);
        }
        catch (Exception e) when (e is SessionStateException)
        {
            throw ErrorCatalogue.FileNotReadable.Because(e, path, e.Message);
        }
    }

    /// <summary>The full path of a path without wildcards; it need not exist.</summary>
    /// <exception cref="GuestAgentException">FileNotReadable.</exception>
    public static string Literal(SessionState session, string path)
    {
        try
        {
            var file = session.Path.GetUnresolvedProviderPathFromPSPath(path, out var provider, out _);
            return Checked(path, provider, file);
        }
        catch (Exception e) when (e is SessionStateException)
        {
            throw ErrorCatalogue.FileNotReadable.Because(e, path, e.Message);
        }
    }

    /// <summary>The text of a file, by its full path.</summary>
    /// <exception cref="GuestAgentException">FileNotReadable.</exception>
    public static string ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ErrorCatalogue.FileNotReadable.Because(e, path, e.Message);
        }
    }

    private static T Checked<T>(string path, ProviderInfo provider, T found) => provider.Name == "FileSystem"
        ? found
        : throw ErrorCatalogue.FileNotReadable.With(path, $"it belongs to the provider {provider.Name}.");
}
