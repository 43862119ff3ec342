using System.Threading.Channels;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>An endpoint in memory, whose agent is the test: it accepts each opening as a <see cref="PeerConnection"/>.</summary>
internal sealed class ScriptedPeer : GuestAgentEndpoint
{
    private readonly Channel<PeerConnection> _connections = Channel.CreateUnbounded<PeerConnection>();
    private int _opens;

    /// <summary>How often the client opened the endpoint, attempts that failed included.</summary>
    public int Opens => Volatile.Read(ref _opens);

    /// <summary>What a connection takes of requests that the peer does not read.</summary>
    public long RequestBytes { get; init; } = 64 << 10;

    /// <summary>What an opening waits for, or fails with.</summary>
    public Func<CancellationToken, Task> Opening { get; set; } = _ => Task.CompletedTask;

    public override async Task<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _opens);
        await Opening(cancellationToken);
        var connection = new PeerConnection(RequestBytes);
        _connections.Writer.TryWrite(connection);
        return connection.Stream;
    }

    /// <summary>Waits for the client to open the endpoint.</summary>
    public Task<PeerConnection> AcceptAsync() => _connections.Reader.ReadAsync().AsTask().OrHang();

    public Task<PeerConnection> NextAsync(CancellationToken cancellationToken) =>
        _connections.Reader.ReadAsync(cancellationToken).AsTask();

    public override string ToString() => "scripted:peer";
}
