using System.Buffers;
using System.IO.Pipelines;

namespace QemuGuestAgent.EmbeddedAgent;

/// <summary>
/// The port between the agent and its clients, as virtio-serial and QEMU's chardev make it: one client is served at a time,
/// and what is under way in either direction outlives clients and agent alike.
/// </summary>
/// <param name="maxPiece">The most bytes handed to a client at once.</param>
internal sealed class AgentPort(int maxPiece)
{
    private const int PieceSize = 1 << 14;

    private readonly object _sending = new();
    private readonly Pipe _toAgent = new(new PipeOptions(minimumSegmentSize: PieceSize, useSynchronizationContext: false));
    private readonly Pipe _toClient = new(new PipeOptions(minimumSegmentSize: PieceSize, useSynchronizationContext: false));
    private readonly int _maxPiece = Math.Min(maxPiece, PieceSize);
    private CancellationToken _clientLeft = new(canceled: true);
    private Task _lastClient = Task.CompletedTask;
    private Stream? _client;

    /// <summary>Takes what a client has sent; waits until there is some.</summary>
    public async Task<byte[]> ReceiveAsync(CancellationToken dead)
    {
        var result = await _toAgent.Reader.ReadAsync(dead).ConfigureAwait(false);
        var bytes = result.Buffer.ToArray();
        _toAgent.Reader.AdvanceTo(result.Buffer.End);
        return bytes;
    }

    /// <summary>Forgets what clients have sent so far, as the port does when the guest starts anew.</summary>
    public void DropInput()
    {
        while (_toAgent.Reader.TryRead(out var result))
        {
            _toAgent.Reader.AdvanceTo(result.Buffer.End);
        }
    }

    /// <summary>Ends the connection of the client that is served now.</summary>
    public void HangUp() => _client?.Dispose();

    /// <summary>Sends to the client, or to the next one if there is none; nothing is sent once the agent is dead.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken dead)
    {
        while (!bytes.IsEmpty)
        {
            var piece = bytes.Slice(0, Math.Min(bytes.Length, PieceSize));
            ValueTask<FlushResult> flush;
            lock (_sending)
            {
                dead.ThrowIfCancellationRequested();
                flush = _toClient.Writer.WriteAsync(piece, dead);
            }

            await flush.ConfigureAwait(false);
            bytes = bytes.Slice(piece.Length);
        }
    }

    /// <summary>Sends a line without an end while the client that is served now stays.</summary>
    public async Task SendEndlessLineAsync(CancellationToken dead)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(dead, _clientLeft);
        var part = Enumerable.Repeat((byte)'x', PieceSize).ToArray();
        try
        {
            while (true)
            {
                await SendAsync(part, end.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!dead.IsCancellationRequested)
        {
            // The client left.
        }
    }

    /// <summary>Ends a life of the agent: when this returns, nothing more of it is sent.</summary>
    public void End(CancellationTokenSource life)
    {
        lock (_sending)
        {
            life.Cancel();
        }
    }

    /// <summary>Serves a client, once those before it have left, until it leaves; closes its stream then.</summary>
    public Task ServeAsync(Stream client, CancellationToken cancellationToken)
    {
        lock (_sending)
        {
            var previous = _lastClient;
            return _lastClient = Task.Run(() => ServeAfterAsync(previous, client, cancellationToken), CancellationToken.None);
        }
    }

    private async Task ServeAfterAsync(Task previous, Stream client, CancellationToken cancellationToken)
    {
        using var owned = client;
        using var hangUp = cancellationToken.Register(client.Dispose);
        await previous.ConfigureAwait(false);
        var leaving = new CancellationTokenSource();
        _clientLeft = leaving.Token;
        _client = client;
        var delivery = DeliverAsync(client, leaving.Token);
        await UntilGoneAsync(client.CopyToAsync(_toAgent.Writer, CancellationToken.None)).ConfigureAwait(false);
        leaving.Cancel();
        await UntilGoneAsync(delivery).ConfigureAwait(false);
    }

    private static async Task UntilGoneAsync(Task transfer)
    {
        try
        {
            await transfer.ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // This is how clients leave.
        }
    }

    private async Task DeliverAsync(Stream client, CancellationToken leaving)
    {
        var writer = PipeWriter.Create(client, new StreamPipeWriterOptions(leaveOpen: true));
        while (true)
        {
            var result = await _toClient.Reader.ReadAsync(leaving).ConfigureAwait(false);
            var piece = result.Buffer.First;
            piece = piece.Slice(0, Math.Min(piece.Length, _maxPiece));
            var delivered = result.Buffer.GetPosition(piece.Length);
            try
            {
                await writer.WriteAsync(piece, leaving).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // It was gone already: the next client gets this.
                delivered = result.Buffer.Start;
                throw;
            }
            finally
            {
                _toClient.Reader.AdvanceTo(delivered);
            }
        }
    }
}
