namespace QemuGuestAgent.EmbeddedAgent.Guest;

/// <summary>An open file of the guest, or an open directory, which has no content to read.</summary>
internal sealed class OpenFile(MemoryFileSystem files, MemoryFile? file, OpenMode mode)
{
    private long _position;

    /// <summary>C's <c>feof</c>; on Windows, whether the last read gave nothing.</summary>
    public bool IsAtEnd { get; private set; }

    public byte[] Read(int count)
    {
        if (!mode.CanRead)
        {
            throw new ErrnoException(Errno.BadDescriptor);
        }

        if (count == 0)
        {
            return [];
        }

        var content = file is null ? throw new ErrnoException(Errno.IsDirectory) : file.Span;
        var bytes = content.Slice((int)Math.Min(_position, content.Length));
        bytes = bytes.Slice(0, Math.Min(count, bytes.Length));
        _position += bytes.Length;
        IsAtEnd = files.IsWindows ? bytes.Length == 0 : IsAtEnd || bytes.Length < count;
        return bytes.ToArray();
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (!mode.CanWrite || file is null)
        {
            throw new ErrnoException(Errno.BadDescriptor);
        }

        if (mode.Appends)
        {
            _position = file.Length;
        }

        if (bytes.Length == 0)
        {
            return;
        }

        var end = _position + bytes.Length;
        if (end > int.MaxValue - 64 || files.Used + Math.Max(0, end - file.Length) > files.Size)
        {
            throw new ErrnoException(Errno.NoSpace);
        }

        file.Write(_position, bytes);
        _position = end;
    }

    public long Seek(long offset, SeekOrigin origin)
    {
        var start = origin switch { SeekOrigin.Begin => 0, SeekOrigin.Current => _position, _ => file?.Length ?? 0 };
        if (offset < -start || offset > long.MaxValue - start)
        {
            throw new ErrnoException(Errno.InvalidArgument);
        }

        IsAtEnd = false;
        return _position = start + offset;
    }
}
