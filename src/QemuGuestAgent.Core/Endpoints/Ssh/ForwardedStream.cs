#if NET
using System.Net.Sockets;

namespace QemuGuestAgent.Core.Endpoints.Ssh;

/// <summary>
/// A socket of a host that ssh forwards. ssh accepts a client before the host has connected, and closes it without a reason where that
/// fails: then a program of the host relays, or tells the reason.
/// </summary>
internal sealed class ForwardedStream(SshConnection connection, SshMaster master, SshEndpoint endpoint, Stream forwarded) : ChannelStream
{
    // The limit for a relay to be up.
    private static readonly TimeSpan RelayTime = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _closing = new();
    private readonly List<byte> _sent = [];
    private readonly Stream _forwarded = forwarded;
    private Stream _stream = forwarded;
    private Stream? _relay;
    private bool _hasReceived;

    /// <inheritdoc/>
    protected override async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = await TryReceiveAsync(buffer, cancellationToken).ConfigureAwait(false);
        if (count == 0 && !_hasReceived && _relay is null && !master.HasEnded)
        {
            await RelayAsync().ConfigureAwait(false);
            count = await _stream.ReadSomeAsync(buffer, cancellationToken).ConfigureAwait(false);

            // It came by the relay: so the host does not forward.
            if (count > 0)
            {
                connection.Relays();
            }
        }

        _hasReceived = true;
        return count;
    }

    /// <inheritdoc/>
    protected override async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        Stream stream;
        lock (_sent)
        {
            stream = _stream;

            // What is sent before the first answer is a request or two.
            if (!_hasReceived && stream != _relay)
            {
                _sent.AddRange(bytes.ToArray());
            }
        }

        try
        {
            await stream.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e) when (IsClosed(e) && !_hasReceived && stream != _relay)
        {
            // The read finds out why.
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            lock (_sent)
            {
                _closing.Cancel();
                _forwarded.Dispose();
                _relay?.Dispose();
            }
        }

        base.Dispose(disposing);
    }

    private static bool IsClosed(IOException e) => e.InnerException is SocketException
    {
        SocketErrorCode: SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted,
    };

    // A client that has written is not closed but reset.
    private async ValueTask<int> TryReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await _stream.ReadSomeAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e) when (IsClosed(e) && !_hasReceived)
        {
            return 0;
        }
    }

    private async Task RelayAsync()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token);
        stop.CancelAfter(RelayTime);
        Stream relay;
        try
        {
            relay = await connection.RelayAsync(endpoint, stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e)
        {
            throw new IOException("the host does not forward the socket, and did not start a program that relays in time", e);
        }

        lock (_sent)
        {
            _relay = relay;
            if (_closing.IsCancellationRequested)
            {
                relay.Dispose();
            }
        }

        while (Unsent(relay) is { Length: > 0 } unsent)
        {
            await relay.WriteAsync(unsent, CancellationToken.None).ConfigureAwait(false);
        }
    }

    // What is still to be sent by the relay; where that is nothing, all that follows goes there.
    private byte[] Unsent(Stream relay)
    {
        lock (_sent)
        {
            byte[] unsent = [.. _sent];
            _sent.Clear();
            _stream = unsent.Length > 0 ? _stream : relay;
            return unsent;
        }
    }
}
#endif
