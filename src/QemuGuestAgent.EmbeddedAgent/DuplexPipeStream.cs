using System.Buffers;
using System.IO.Pipelines;

namespace QemuGuestAgent.EmbeddedAgent;

/// <summary>One end of an in-memory connection that behaves as a socket: bounded, and ended by either side.</summary>
internal sealed class DuplexPipeStream : Stream
{
    // As much as goes into the pipe before backpressure is looked at.
    private const int MaxWrite = 1 << 14;

    private readonly object _gate = new();
    private readonly PipeReader _input;
    private readonly PipeWriter _output;
    private readonly int _maxRead;
    private bool _isReading;
    private bool _isDisposed;

    private DuplexPipeStream(PipeReader input, PipeWriter output, int maxRead)
    {
        _input = input;
        _output = output;
        _maxRead = maxRead;
    }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Makes both ends of a connection.</summary>
    /// <param name="maxRead">The most that one read of the client gives.</param>
    public static (DuplexPipeStream Client, DuplexPipeStream Agent) CreatePair(int maxRead)
    {
        var toAgent = new Pipe(new PipeOptions(useSynchronizationContext: false));
        var toClient = new Pipe(new PipeOptions(useSynchronizationContext: false));
        return (new(toClient.Reader, toAgent.Writer, maxRead), new(toAgent.Reader, toClient.Writer, int.MaxValue));
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) =>
        ReadCoreAsync(buffer.AsMemory(offset, count), CancellationToken.None).AsTask().GetAwaiter().GetResult();

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadCoreAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) =>
        WriteCoreAsync(buffer.AsMemory(offset, count), CancellationToken.None).GetAwaiter().GetResult();

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteCoreAsync(buffer.AsMemory(offset, count), cancellationToken);

#if NET
    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        ReadCoreAsync(buffer, cancellationToken);

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        new(WriteCoreAsync(buffer, cancellationToken));
#endif

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        lock (_gate)
        {
            if (!disposing || _isDisposed)
            {
                return;
            }

            _isDisposed = true;
            _output.CancelPendingFlush();
            _output.Complete();

            // A reader may not be completed under a pending read: that read is woken, and completes it.
            if (_isReading)
            {
                _input.CancelPendingRead();
            }
            else
            {
                _input.Complete();
            }
        }

        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadCoreAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_isDisposed)
            {
                throw Disposed();
            }

            _isReading = true;
        }

        try
        {
            var result = await _input.ReadAsync(cancellationToken).ConfigureAwait(false);
            var count = (int)Math.Min(result.Buffer.Length, Math.Min(destination.Length, _maxRead));
            var taken = result.Buffer.Slice(0, count);
            taken.CopyTo(destination.Span);
            _input.AdvanceTo(taken.End);
            return count;
        }
        finally
        {
            EndRead();
        }
    }

    private void EndRead()
    {
        lock (_gate)
        {
            _isReading = false;
            if (_isDisposed)
            {
                _input.Complete();
                throw Disposed();
            }
        }
    }

    private async Task WriteCoreAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        while (!source.IsEmpty)
        {
            var piece = source.Slice(0, Math.Min(source.Length, MaxWrite));
            ValueTask<FlushResult> flush;
            lock (_gate)
            {
                if (_isDisposed)
                {
                    throw Disposed();
                }

                flush = _output.WriteAsync(piece, cancellationToken);
            }

            var result = await flush.ConfigureAwait(false);
            if (result.IsCompleted)
            {
                throw new IOException("The other end of the connection is closed.");
            }

            source = source.Slice(piece.Length);
        }
    }

    private static ObjectDisposedException Disposed() => new(nameof(DuplexPipeStream));
}
