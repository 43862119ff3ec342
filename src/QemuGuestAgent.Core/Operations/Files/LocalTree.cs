using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>A file or folder in a tree of this computer, as it was listed.</summary>
/// <param name="Path">The full path.</param>
/// <param name="Names">The names on the way there from the tree's root; none for the root.</param>
/// <param name="Length">The length of a file.</param>
/// <param name="Modified">When a file was changed, in UTC.</param>
internal readonly record struct LocalItem(string Path, string[] Names, long Length, DateTime Modified);

/// <summary>A file of this computer, or a folder with what is in it.</summary>
/// <param name="Path">The full path.</param>
internal sealed record LocalTree(string Path)
{
    private readonly List<LocalItem> _folders = [];
    private readonly List<LocalItem> _files = [];

    /// <summary>Its name.</summary>
    public string Name => System.IO.Path.GetFileName(Path.TrimEnd('/', System.IO.Path.DirectorySeparatorChar));

    /// <summary>The folders, parents first.</summary>
    public IReadOnlyList<LocalItem> Folders => _folders;

    /// <summary>The files.</summary>
    public IReadOnlyList<LocalItem> Files => _files;

    /// <summary>The bytes of all files.</summary>
    public long Bytes { get; private set; }

    /// <summary>Looks what there is. Links to files are followed, those to folders are not: they may lead in a circle.</summary>
    public static LocalTree Read(string path, ItemCopyOptions options)
    {
        var tree = new LocalTree(path);
        if (Directory.Exists(path))
        {
            tree.AddFolder(new DirectoryInfo(path), [], options);
        }
        else
        {
            tree.AddFile(new FileInfo(path), []);
        }

        return tree;
    }

    private void AddFolder(DirectoryInfo folder, string[] names, ItemCopyOptions options)
    {
        _folders.Add(new LocalItem(folder.FullName, names, 0, default));
        if (!options.Recurse)
        {
            return;
        }

        try
        {
            foreach (var item in folder.EnumerateFileSystemInfos())
            {
                if (item is not DirectoryInfo inner)
                {
                    AddFile((FileInfo)item, [.. names, item.Name]);
                }
                else if (inner.Attributes.HasFlag(FileAttributes.ReparsePoint))
                {
                    options.Warn($"The link '{inner.FullName}' to a folder is not followed.");
                }
                else
                {
                    AddFolder(inner, [.. names, item.Name], options);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            options.Failed(ErrorCatalogue.FileNotReadable.Because(e, folder.FullName, e.Message));
        }
    }

    // Whether it can be read shows when its turn comes.
    private void AddFile(FileInfo file, string[] names)
    {
        var length = file.Exists ? file.Length : 0;
        _files.Add(new LocalItem(file.FullName, names, length, file.LastWriteTimeUtc));
        Bytes += length;
    }
}
