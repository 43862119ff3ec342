using System.Text;

namespace QemuGuestAgent.EmbeddedAgent.Guest;

/// <summary>The guest's files.</summary>
/// <param name="size">How many bytes it holds.</param>
/// <param name="isWindows">Whether paths are written, and compared, as on Windows.</param>
internal sealed class MemoryFileSystem(long size, bool isWindows)
{
    private readonly Dictionary<string, MemoryFile> _files = new(Comparer(isWindows));
    private readonly HashSet<string> _directories = new(Comparer(isWindows)) { "" };

    public long Size => size;

    public long Used => _files.Values.Sum(file => (long)file.Length);

    public bool IsWindows => isWindows;

    public void Add(string path, string content)
    {
        var key = Key(path);
        AddDirectories(Parent(key));
        var file = new MemoryFile();
        file.Write(0, Encoding.UTF8.GetBytes(content));
        _files[key] = file;
    }

    public void AddDirectory(string path) => AddDirectories(Key(path));

    public OpenFile Open(string path, OpenMode mode)
    {
        var key = Key(path);
        if (_directories.Contains(key) && path.Length > 0)
        {
            return mode.CanWrite ? throw new ErrnoException(Errno.IsDirectory) : new OpenFile(this, null, mode);
        }

        if (!_files.TryGetValue(key, out var file))
        {
            for (var parent = Parent(key); ; parent = Parent(parent))
            {
                if (_files.ContainsKey(parent))
                {
                    throw new ErrnoException(Errno.NotDirectory);
                }

                if (_directories.Contains(parent))
                {
                    break;
                }
            }

            if (!mode.Creates || path.Length == 0 || !_directories.Contains(Parent(key)))
            {
                throw new ErrnoException(Errno.NoEntry);
            }

            _files[key] = file = new MemoryFile();
        }

        if (mode.Truncates)
        {
            file.Clear();
        }

        return new OpenFile(this, file, mode);
    }

    private static StringComparer Comparer(bool isWindows) =>
        isWindows ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;

    private static string Parent(string key) => key.Length == 0 ? key : key.Substring(0, key.LastIndexOf('/'));

    private void AddDirectories(string key)
    {
        while (_directories.Add(key))
        {
            key = Parent(key);
        }
    }

    // "/a//b/../c" is "/a/c" inside, the root "", and "C:\a" is "/C:/a".
    private string Key(string path)
    {
        var names = new List<string>();
        foreach (var name in (isWindows ? path.Replace('\\', '/') : path).Split('/'))
        {
            if (name == ".." && names.Count > 0)
            {
                names.RemoveAt(names.Count - 1);
            }
            else if (name is not ("" or "." or ".."))
            {
                names.Add(name);
            }
        }

        return string.Concat(names.Select(name => "/" + name));
    }
}
