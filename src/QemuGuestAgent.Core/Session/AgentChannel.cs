using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Session;

/// <summary>Looks at a reply, and at the line that it came in; whether it, or its failure, is what is waited for.</summary>
/// <param name="reply">The reply.</param>
/// <param name="line">The line.</param>
/// <param name="result">What is made of it.</param>
internal delegate bool ReplyReader<T>(in Reply reply, in ReadOnlySequence<byte> line, out T result);

/// <summary>
/// An open endpoint: messages out, lines in. A read or write that has begun is never cancelled, only no longer waited for: whoever comes
/// next picks it up. So no byte is lost by a time-out or Ctrl+C, whatever kind of stream is below, and requests never interleave.
/// Used by one caller at a time; only <see cref="Dispose"/> may come from elsewhere.
/// </summary>
internal sealed class AgentChannel : IDisposable
{
    private const int ReceiveBytes = 64 << 10;

    // Most holders of a channel send only one command.
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan MaxPause = TimeSpan.FromMilliseconds(500);

    // Where the call itself has no limit.
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(60);

    private readonly GuestAgentEndpoint _endpoint;
    private readonly GuestAgentSessionOptions _options;
    private readonly Stream _stream;
    private readonly IDisposable? _hold;
    private readonly PipeReader _reader;
    private readonly RequestBuffer _request = new();
    private Task<ReadResult>? _pendingRead;
    private Task _pendingWrite = Task.CompletedTask;

    private AgentChannel(GuestAgentEndpoint endpoint, GuestAgentSessionOptions options, Stream stream, IDisposable? hold)
    {
        _endpoint = endpoint;
        _options = options;
        _stream = stream;
        _hold = hold;
        _reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: ReceiveBytes, leaveOpen: true));
        Decoder = new FrameDecoder(options.MaxReplyBytes);
    }

    public FrameDecoder Decoder { get; }

    /// <summary>Receives every message; null for none.</summary>
    public Action<TraceEvent>? Trace { get; set; }

    /// <summary>The time of the call that is beginning, for a stream that has others wait for the agent; zero is without limit.</summary>
    public TimeSpan CallTime
    {
        set
        {
            if (_stream is ChannelStream stream)
            {
                stream.CallTime = value;
            }
        }
    }

    /// <summary>The value of <see cref="FrameDecoder.BytesDropped"/> that is too much.</summary>
    public long MaxBytesDropped { get; set; } = long.MaxValue;

    /// <summary>Whether a read or a write has failed: nothing more can come.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Whether all of the last message has gone out.</summary>
    public bool HasSent => _pendingWrite.IsCompleted;

    /// <summary>Opens an endpoint, and keeps other sessions of this machine out of it meanwhile. One that holds it is waited for.</summary>
    /// <exception cref="GuestAgentException">An <c>Endpoint…</c> error.</exception>
    public static async Task<AgentChannel> OpenAsync(GuestAgentEndpoint endpoint, GuestAgentSessionOptions options, CallScope scope)
    {
        var hold = await LockAsync(endpoint, scope).ConfigureAwait(false);
        try
        {
            var stream = await endpoint.OpenAsync(scope.Token).ConfigureAwait(false);
            return new AgentChannel(endpoint, options, stream, hold)
            {
                Trace = scope.Call.Trace,
                CallTime = scope.Call.Timeout,
            };
        }
        catch
        {
            hold?.Dispose();
            throw;
        }
    }

    /// <summary>Returns the empty buffer for the next message, once the former message is written.</summary>
    public ValueTask<RequestBuffer> StartMessageAsync(CallScope scope)
    {
        if (_pendingWrite.Status != TaskStatus.RanToCompletion)
        {
            return WaitForWriteAsync(scope);
        }

        _request.Clear();
        return new(_request);
    }

    /// <summary>Begins to write the message; a failure comes out of the next receive or the next message.</summary>
    /// <param name="second">Where a second message begins, or zero where there is one only.</param>
    public void Send(int second = 0)
    {
        if (Trace is { } trace)
        {
            if (second > 0)
            {
                trace(new TraceEvent(TraceKind.Sent, WireMask.Show(new ReadOnlySequence<byte>(_request.Written.Slice(0, second)))));
            }

            trace(new TraceEvent(TraceKind.Sent, WireMask.Show(new ReadOnlySequence<byte>(_request.Written.Slice(second)))));
        }

        _pendingWrite = WriteAsync(_request.Written);
    }

    /// <summary>Receives replies until one is what is waited for.</summary>
    /// <param name="read">Looks at each; its memory is given back when this returns.</param>
    /// <param name="scope">Ends the wait.</param>
    public async ValueTask<T> ReceiveAsync<T>(ReplyReader<T> read, CallScope scope)
    {
        while (true)
        {
            // A peer that never stops sending never makes a read wait, where the call's end would be looked at.
            scope.ThrowIfEnded();
            var received = await ReadAsync(scope).ConfigureAwait(false);
            if (NextLine(received, out var line, out var end))
            {
                try
                {
                    if (read(Reply.Parse(line, _options.MaxReplyDepth, _options.MaxReplyValues), line, out var result))
                    {
                        return result;
                    }
                }
                finally
                {
                    _reader.AdvanceTo(end);
                }
            }
        }
    }

    /// <summary>Closes the endpoint; what waits for it ends with an error.</summary>
    public void Dispose()
    {
        // The reader is not completed: a caller may be reading a line in its memory at this moment.
        _stream.Dispose();
        _hold?.Dispose();
        _ = ObserveAsync();
    }

    private static async Task<EndpointLock?> LockAsync(GuestAgentEndpoint endpoint, CallScope scope)
    {
        void Tell(string text) => scope.Trace?.Invoke(TraceEvent.Step(text));
        var waited = TimeSpan.Zero;
        for (var pause = FirstPause; ; pause = pause < MaxPause ? pause + pause : pause)
        {
            if (EndpointLock.TryTake(endpoint, Tell, out var taken))
            {
                return taken;
            }

            waited += pause;
            if (waited > MaxWait && scope.Call.Timeout == TimeSpan.Zero)
            {
                throw EndpointLock.InUse(endpoint);
            }

            if (pause == FirstPause)
            {
                Tell($"Another session uses '{endpoint}': waiting for it.");
            }

            try
            {
                await scope.DelayAsync(pause).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                throw scope.Explain(() => ErrorCatalogue.SessionClosed.With(endpoint), () => EndpointLock.InUse(endpoint));
            }
        }
    }

    private bool NextLine(in ReadResult received, out ReadOnlySequence<byte> line, out SequencePosition end)
    {
        var status = Decoder.Decode(received.Buffer, out line, out var afterSentinel, out end);
        if (status == FrameStatus.Line)
        {
            Trace?.Invoke(new TraceEvent(TraceKind.Received, (afterSentinel ? WireMask.Sentinel : "") + WireMask.Show(line)));
            return true;
        }

        _reader.AdvanceTo(end, received.Buffer.End);
        if (status == FrameStatus.TooLong)
        {
            throw ErrorCatalogue.ReplyTooLong.With(_endpoint, Decoder.MaxLineBytes);
        }

        if (Decoder.BytesDropped > MaxBytesDropped)
        {
            throw ErrorCatalogue.SyncSkippedTooMuch.With(_endpoint, MaxBytesDropped);
        }

        if (received.IsCompleted)
        {
            IsBroken = true;
            throw ErrorCatalogue.ConnectionLost.With(_endpoint, "the other side closed it");
        }

        return false;
    }

    private async Task ObserveAsync()
    {
        try
        {
            await _pendingWrite.ConfigureAwait(false);
            if (_pendingRead is { } read)
            {
                await read.ConfigureAwait(false);
            }
        }
        catch (Exception e) when (IsLoss(e) || e is GuestAgentException)
        {
            // They ended because the stream was closed: that is what was wanted.
        }
    }

    private ValueTask<ReadResult> ReadAsync(CallScope scope)
    {
        if (_pendingRead is null)
        {
            // What came with the line before.
            if (_reader.TryRead(out var buffered))
            {
                return new(buffered);
            }

            var read = _reader.ReadAsync(CancellationToken.None);
            if (read.IsCompletedSuccessfully)
            {
                return read;
            }

            _pendingRead = read.AsTask();
        }

        return WaitForReadAsync(_pendingRead, scope);
    }

    private async ValueTask<ReadResult> WaitForReadAsync(Task<ReadResult> read, CallScope scope)
    {
        try
        {
            if (!_pendingWrite.IsCompleted)
            {
                // A long request: the agent may answer, or go away, before it has read all.
                await Abandonable(Task.WhenAny(read, _pendingWrite), scope).ConfigureAwait(false);
            }

            if (_pendingWrite.IsCompleted && !read.IsCompleted)
            {
                await _pendingWrite.ConfigureAwait(false);
            }

            await Abandonable(read, scope).ConfigureAwait(false);
            var result = await read.ConfigureAwait(false);
            _pendingRead = null;
            return result;
        }
        catch (Exception e) when (IsLoss(e))
        {
            throw Lost(e);
        }
        catch (GuestAgentException)
        {
            // The stream itself knows what is wrong.
            IsBroken = true;
            throw;
        }
    }

    private async ValueTask<RequestBuffer> WaitForWriteAsync(CallScope scope)
    {
        try
        {
            await Abandonable(_pendingWrite, scope).ConfigureAwait(false);
            _request.Clear();
            return _request;
        }
        catch (Exception e) when (IsLoss(e))
        {
            throw Lost(e);
        }
    }

    private async Task WriteAsync(ReadOnlyMemory<byte> message)
    {
        try
        {
            await _stream.WriteAllAsync(message, CancellationToken.None).ConfigureAwait(false);
            await _stream.FlushAsync().ConfigureAwait(false);
        }
        finally
        {
            _request.Clear();
        }
    }

    private static Task Abandonable(Task task, CallScope scope) =>
        task.IsCompleted ? task : task.WaitAsync(Timeout.InfiniteTimeSpan, TimeProvider.System, scope.Token);

    private GuestAgentException Lost(Exception e)
    {
        IsBroken = true;
        return ErrorCatalogue.ConnectionLost.Because(e, _endpoint, (e.InnerException is SocketException cause ? cause : e).Message);
    }

    private static bool IsLoss(Exception e) => e is IOException or SocketException or ObjectDisposedException;
}
