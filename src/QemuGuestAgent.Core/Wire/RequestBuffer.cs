using System.Buffers;
using System.Text.Json;

namespace QemuGuestAgent.Core.Wire;

/// <summary>A buffer for requests, reused for the next one. (.NET Framework has no public ArrayBufferWriter.)</summary>
internal sealed class RequestBuffer : IBufferWriter<byte>
{
    private const int InitialBytes = 1024;

    // A buffer grown for one large request is released afterwards.
    private const int KeptBytes = 4 << 20;

    private byte[] _bytes = new byte[InitialBytes];
    private int _written;
    private Utf8JsonWriter? _json;

    /// <summary>What has been written since the last <see cref="Clear"/>.</summary>
    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _written);

    /// <summary>Clears what was written, and overwrites it: it may contain a secret.</summary>
    public void Clear()
    {
        Array.Clear(_bytes, 0, _written);
        _written = 0;
        if (_bytes.Length > KeptBytes)
        {
            _bytes = new byte[InitialBytes];
        }
    }

    /// <summary>A writer of JSON to this buffer: the same one each time.</summary>
    public Utf8JsonWriter StartJson()
    {
        _json ??= new Utf8JsonWriter(this, new JsonWriterOptions { MaxDepth = RequestWriter.MaxMessageDepth });
        _json.Reset();
        return _json;
    }

    /// <inheritdoc/>
    public void Advance(int count) => _written += count;

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        var needed = checked(_written + Math.Max(sizeHint, 1));
        if (needed > _bytes.Length)
        {
            Array.Resize(ref _bytes, (int)Math.Min(int.MaxValue - 64, Math.Max(needed, 2L * _bytes.Length)));
        }

        return _bytes.AsMemory(_written);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
}
