namespace QemuGuestAgent.EmbeddedAgent.Wire;

/// <summary>Bytes that grow at the end.</summary>
internal sealed class ByteBuffer
{
    private const int SmallSize = 256;
    private const int KeptSize = 1 << 20;

    private byte[] _bytes = new byte[SmallSize];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

    public void Append(byte value)
    {
        Reserve(1);
        _bytes[Length++] = value;
    }

    public void Append(ReadOnlySpan<byte> values)
    {
        Reserve(values.Length);
        values.CopyTo(_bytes.AsSpan(Length));
        Length += values.Length;
    }

    public void AppendAscii(string text, int start, int count)
    {
        Reserve(count);
        for (var i = start; i < start + count; i++)
        {
            _bytes[Length++] = (byte)text[i];
        }
    }

    public void AppendAscii(string text) => AppendAscii(text, 0, text.Length);

    public void Truncate(int length) => Length = length;

    public void Clear()
    {
        Length = 0;
        if (_bytes.Length > KeptSize)
        {
            _bytes = new byte[SmallSize];
        }
    }

    public byte[] ToArray() => Span.ToArray();

    private void Reserve(int count)
    {
        if (count > _bytes.Length - Length)
        {
            Array.Resize(ref _bytes, (int)Math.Min(int.MaxValue - 64L, Math.Max(2L * _bytes.Length, (long)Length + count)));
        }
    }
}
