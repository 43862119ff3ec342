using QemuGuestAgent.Core.Endpoints.Libvirt;

namespace QemuGuestAgent.Core.Endpoints.Finding;

/// <summary>This host: its root can be any folder, so that tests have their own hosts.</summary>
/// <param name="root">The folder.</param>
/// <param name="library">libvirt's library; null where there is none.</param>
/// <param name="tell">Receives messages about what could not be read.</param>
internal sealed class LocalHost(string root, ILibvirt? library, Action<string> tell) : Host(tell)
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> List(string folder)
    {
        try
        {
            return [.. new DirectoryInfo(At(folder)).EnumerateFileSystemInfos().Select(entry => entry.Name)];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Tell($"'{folder}' could not be read: {e.Message}");
            return [];
        }
    }

    /// <inheritdoc/>
    public override string? Read(string path)
    {
        try
        {
            return File.ReadAllText(At(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Processes end and files are removed: what no longer exists is not found.
            return null;
        }
    }

    /// <inheritdoc/>
    public override string? ReadLink(string path)
    {
        var link = new FileInfo(At(path));
#if NET
        try
        {
            return link.LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // As above.
        }
#endif
        return null;
    }

    /// <inheritdoc/>
    public override string RealPathOf(string path) => RealPath.Of(At(path));

    /// <inheritdoc/>
    public override FileStatus? StatusOf(string path) => FileStatus.Of(At(path));

    /// <inheritdoc/>
    public override IEnumerable<int> Processes() => List("/proc").Select(name => int.TryParse(name, out var id) ? id : 0).Where(id => id > 0);

    /// <inheritdoc/>
    public override IReadOnlyList<string>? DescribeDomains(string uri, bool readOnly)
    {
        if (library is null)
        {
            return null;
        }

        using var connection = library.Connect(uri, readOnly);
        return connection.DescribeActiveDomains();
    }

    private string At(string path) => Path.Combine(root, path.TrimStart('/'));
}
