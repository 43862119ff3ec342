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
        catch (ProcessEndedException e) when (IsRefusal(e))
        {
            throw ErrorCatalogue.EndpointRefused.Because(e, endpoint);
        }
    }

    /// <inheritdoc/>
    protected override async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            await stream.WriteAllAsync(bytes, cancellationToken).ConfigureAwait(false);
        }
        catch (ProcessEndedException e) when (IsRefusal(e))
        {
            throw ErrorCatalogue.EndpointRefused.Because(e, endpoint);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            stream.Dispose();
        }

        base.Dispose(disposing);
    }

    // Said by the program once it was to connect: after it has said that it is up.
    private bool IsRefusal(ProcessEndedException e) => !_hasReceived && e.Errors.Contains("efused");
}
