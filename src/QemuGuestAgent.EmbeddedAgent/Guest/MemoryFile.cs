namespace QemuGuestAgent.EmbeddedAgent.Guest;

/// <summary>A file's content.</summary>
internal sealed class MemoryFile
{
    private byte[] _bytes = [];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

    public void Write(long position, ReadOnlySpan<byte> bytes)
    {
        var end = checked((int)(position + bytes.Length));
        if (end > _bytes.Length)
        {
            Array.Resize(ref _bytes, (int)Math.Min(int.MaxValue - 64L, Math.Max(2L * _bytes.Length, end)));
        }

        bytes.CopyTo(_bytes.AsSpan((int)position));
        Length = Math.Max(Length, end);
    }

    public void Clear()
    {
        _bytes = [];
        Length = 0;
    }
}
