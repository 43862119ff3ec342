using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints.Ssh;

/// <summary>A socket of a host through a program there, which connects only after it has said that it is up.</summary>
internal sealed class RelayStream(SshEndpoint endpoint, ProcessStream stream) : ChannelStream
{
    private bool _hasReceived;

    /// <inheritdoc/>
    protected override async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            var count = await stream.ReadSomeAsync(buffer, cancellationToken).ConfigureAwait(false);
            _hasReceived |= count > 0;
            return count;
        }
        catch (ProcessEndedException e) when (!_hasReceived && e.Errors.Contains("efused"))
        {
            throw ErrorCatalogue.EndpointRefused.Because(e, endpoint);
        }
    }

    /// <inheritdoc/>
    protected override ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        stream.WriteAllAsync(bytes, cancellationToken);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            stream.Dispose();
        }

        base.Dispose(disposing);
    }
}
