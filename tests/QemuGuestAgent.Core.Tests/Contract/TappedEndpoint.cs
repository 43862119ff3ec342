using QemuGuestAgent.Core.Endpoints;

namespace QemuGuestAgent.Core.Tests.Contract;

/// <summary>Another endpoint, whose client can be held in the middle of what it receives.</summary>
internal sealed class TappedEndpoint(GuestAgentEndpoint inner) : GuestAgentEndpoint
{
    private TaskCompletionSource? _reached;
    private TaskCompletionSource? _released;
    private int _bytesLeft;

    /// <summary>Lets that many further bytes pass, then none until <see cref="Release"/>; ends when they have come.</summary>
    public Task HoldAfterAsync(int bytes)
    {
        _bytesLeft = bytes;
        _released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _reached.Task;
    }

    /// <summary>Lets everything pass.</summary>
    public void Release() => _released?.TrySetResult();

    public override async Task<Stream> OpenAsync(CancellationToken cancellationToken) =>
        new Tap(this, await inner.OpenAsync(cancellationToken));

    public override string ToString() => inner.ToString();

    private async Task PassAsync(int count)
    {
        if (_released is { } released && (_bytesLeft -= count) <= 0)
        {
            _reached!.TrySetResult();
            await released.Task;
        }
    }

    private sealed class Tap(TappedEndpoint owner, Stream stream) : ChannelStream
    {
        protected override async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            var count = await stream.ReadAsync(buffer, cancellationToken);
            await owner.PassAsync(count);
            return count;
        }

        protected override ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
            stream.WriteAsync(bytes, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                stream.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
