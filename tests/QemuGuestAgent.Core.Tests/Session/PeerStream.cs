using System.IO.Pipelines;
using System.Threading.Channels;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>
/// The client's end of a <see cref="PeerConnection"/>. Like a socket's, its reads and writes end with an error when it is closed.
/// </summary>
internal sealed class PeerStream(
    PipeWriter requests, Channel<IEnumerator<ReadOnlyMemory<byte>>> sources, TaskCompletionSource closed) : Stream
{
    private IEnumerator<ReadOnlyMemory<byte>>? _source;
    private ReadOnlyMemory<byte> _part;
    private long _bytesTaken;
    private int _writes;

    /// <summary>The bytes that the client has taken so far.</summary>
    public long BytesTaken => Volatile.Read(ref _bytesTaken);

    /// <summary>How often the client has written so far.</summary>
    public int Writes => Volatile.Read(ref _writes);

    /// <summary>What every write fails with; null writes.</summary>
    public IOException? WriteError { get; set; }

    /// <summary>Whether a read goes on although the stream was closed, as a serial port's may.</summary>
    public bool IsReadEndless { get; set; }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

#if NET
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
#else
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    private async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
#endif
    {
        while (_part.IsEmpty)
        {
            if (_source?.MoveNext() == true)
            {
                _part = _source.Current;
            }
            else if (!sources.Reader.TryRead(out _source) && !await sources.Reader.WaitToReadAsync(cancellationToken))
            {
                return 0;
            }
        }

        var count = Math.Min(buffer.Length, _part.Length);
        _part[..count].CopyTo(buffer);
        _part = _part[count..];
        Volatile.Write(ref _bytesTaken, _bytesTaken + count);
        return count;
    }

#if NET
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
#else
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    private async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
#endif
    {
        ObjectDisposedException.ThrowIf(closed.Task.IsCompleted, this);
        if (WriteError is { } error)
        {
            throw error;
        }

        Interlocked.Increment(ref _writes);
        var flushed = await requests.WriteAsync(buffer, cancellationToken);
        ObjectDisposedException.ThrowIf(flushed.IsCanceled, this);
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    protected override void Dispose(bool disposing)
    {
        if (closed.TrySetResult())
        {
            requests.CancelPendingFlush();
            requests.Complete();
            if (!IsReadEndless)
            {
                sources.Writer.TryComplete(new ObjectDisposedException(nameof(PeerStream)));
            }
        }

        base.Dispose(disposing);
    }

    public override void Flush() => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
