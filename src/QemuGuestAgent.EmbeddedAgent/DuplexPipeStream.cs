using System.Buffers;
using System.IO.Pipelines;
using QemuGuestAgent.Core.Endpoints;

namespace QemuGuestAgent.EmbeddedAgent;

/// <summary>One end of an in-memory connection that behaves as a socket: bounded, and ended by either side.</summary>
internal sealed class DuplexPipeStream : ChannelStream
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

    /// <summary>Makes both ends of a connection.</summary>
    /// <param name="maxRead">The most that one read of the client gives.</param>
    public static (DuplexPipeStream Client, DuplexPipeStream Agent) CreatePair(int maxRead)
    {
        var toAgent = new Pipe(new PipeOptions(useSynchronizationContext: false));
        var toClient = new Pipe(new PipeOptions(useSynchronizationContext: false));
        return (new(toClient.Reader, toAgent.Writer, maxRead), new(toAgent.Reader, toClient.Writer, int.MaxValue));
    }

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

    /// <inheritdoc/>
    protected override async ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken)
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

    /// <inheritdoc/>
    protected override async ValueTask SendAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
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
