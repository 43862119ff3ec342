using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>A file of this computer, or a folder with what is in it.</summary>
/// <param name="Path">The full path.</param>
internal sealed record LocalTree(string Path)
{
    private readonly List<(string Path, string[] Names, long Length)> _folders = [];
    private readonly List<(string Path, string[] Names, long Length)> _files = [];

    /// <summary>Its name.</summary>
    public string Name => System.IO.Path.GetFileName(Path.TrimEnd('/', System.IO.Path.DirectorySeparatorChar));

    /// <summary>The folders, parents first, with the names on the way there.</summary>
    public IReadOnlyList<(string Path, string[] Names, long Length)> Folders => _folders;

    /// <summary>The files, with their lengths as they were listed.</summary>
    public IReadOnlyList<(string Path, string[] Names, long Length)> Files => _files;

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
        _folders.Add((folder.FullName, names, 0));
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
        _files.Add((file.FullName, names, length));
        Bytes += length;
    }
}
