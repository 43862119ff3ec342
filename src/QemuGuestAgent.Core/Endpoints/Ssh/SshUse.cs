namespace QemuGuestAgent.Core.Endpoints.Ssh;

/// <summary>A use of the connection to a host.</summary>
internal sealed class SshUse(SshConnection connection) : IDisposable
{
    private int _isOver;

    public SshConnection Connection => connection;

    /// <summary>Ends the use; with the last one the connection ends.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isOver, 1) == 0)
        {
            connection.Release();
        }
    }
}

/// <summary>A channel that uses the connection to a host until it is closed.</summary>
internal sealed class SshStream(SshUse use, Stream stream) : ChannelStream
{
    /// <inheritdoc/>
    protected override ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken) =>
        stream.ReadSomeAsync(buffer, cancellationToken);

    /// <inheritdoc/>
    protected override ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        stream.WriteAllAsync(bytes, cancellationToken);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            stream.Dispose();
            use.Dispose();
        }

        base.Dispose(disposing);
    }
}
