using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>A file or folder in a tree of this computer, as it was listed.</summary>
/// <param name="Path">The full path.</param>
/// <param name="Names">The names on the way there from the tree's root; none for the root.</param>
/// <param name="Length">The length of a file.</param>
/// <param name="Modified">When a file was changed, in UTC.</param>
internal readonly record struct LocalItem(string Path, string[] Names, long Length, DateTime Modified);

/// <summary>A file of this computer, or a folder with what is in it.</summary>
internal sealed class LocalTree
{
    private static readonly char Separator = System.IO.Path.DirectorySeparatorChar;

    private readonly ItemCopyOptions _options;
    private readonly List<LocalItem> _folders = [];
    private readonly List<LocalItem> _files = [];
    private readonly List<(LocalItem, string)> _links = [];

    private LocalTree(string path, ItemCopyOptions options) => (Path, _options) = (path, options);

    /// <summary>The full path.</summary>
    public string Path { get; }

    /// <summary>Its name.</summary>
    public string Name => System.IO.Path.GetFileName(Path.TrimEnd('/', System.IO.Path.DirectorySeparatorChar));

    /// <summary>The folders, parents first.</summary>
    public IReadOnlyList<LocalItem> Folders => _folders;

    /// <summary>The files.</summary>
    public IReadOnlyList<LocalItem> Files => _files;

    /// <summary>The links that are copied as such, and where each leads: not out of the tree.</summary>
    public IReadOnlyList<(LocalItem Item, string Target)> Links => _links;

    /// <summary>The bytes of all files.</summary>
    public long Bytes { get; private set; }

    /// <summary>Looks what there is.</summary>
    public static LocalTree Read(string path, ItemCopyOptions options)
    {
        var tree = new LocalTree(path, options);
        if (Directory.Exists(path))
        {
            var folder = new DirectoryInfo(path);
            tree.AddFolder(folder, [], options.FollowLinks && TreeLink.Is(folder, out _) ? [TreeLink.Follow(folder)] : [folder.FullName]);
        }
        else
        {
            tree.AddFile(path, new FileInfo(path), []);
        }

        return tree;
    }

    // The paths without links, of this folder and of those above it, show which links lead in a circle.
    private void AddFolder(DirectoryInfo folder, string[] names, string[] realPaths)
    {
        _folders.Add(new LocalItem(folder.FullName, names, 0, default));
        if (!_options.Recurse)
        {
            return;
        }

        try
        {
            foreach (var item in folder.EnumerateFileSystemInfos())
            {
                string[] way = [.. names, item.Name];
                if (!LocalName.IsText(item.Name))
                {
                    _options.Failed(ErrorCatalogue.FileNotReadable.With(item.FullName, "its name is not valid text. Rename it."));
                }
                else if (TreeLink.Is(item, out var target))
                {
                    AddLink(item, target, way, realPaths);
                }
                else if (item is DirectoryInfo inner)
                {
                    AddFolder(inner, way, [.. realPaths, System.IO.Path.Combine(realPaths[realPaths.Length - 1], inner.Name)]);
                }
                else
                {
                    AddFile(item.FullName, (FileInfo)item, way);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _options.Failed(ErrorCatalogue.FileNotReadable.Because(e, folder.FullName, e.Message));
        }
    }

    private void AddLink(FileSystemInfo link, string? target, string[] names, string[] realPaths)
    {
        if (!_options.FollowLinks)
        {
            if (!LocalFile.IsWindows && target is not null && TreeLink.StaysInside(target, names.Length - 1))
            {
                _links.Add((new LocalItem(link.FullName, names, 0, default), target));
            }
            else
            {
                _options.Warn(TreeLink.NotCopied($"'{link.FullName}'", target));
            }

            return;
        }

        var real = TreeLink.Follow(link);
        if (!Directory.Exists(real))
        {
            AddFile(link.FullName, new FileInfo(real), names);
        }
        else if (Array.Exists(realPaths, above => (above + Separator).StartsWith(real.TrimEnd(Separator) + Separator, StringComparison.Ordinal)))
        {
            _options.Warn($"The link '{link.FullName}' leads back to a folder that it is in, and is not followed.");
        }
        else
        {
            AddFolder(new DirectoryInfo(link.FullName), names, [.. realPaths, real]);
        }
    }

    // Whether it can be read shows when its turn comes.
    private void AddFile(string path, FileInfo file, string[] names)
    {
        var length = file.Exists ? file.Length : 0;
        _files.Add(new LocalItem(path, names, length, file.LastWriteTimeUtc));
        Bytes += length;
    }
}
