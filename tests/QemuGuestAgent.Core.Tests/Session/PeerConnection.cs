using System.IO.Pipelines;
using System.Text;
using System.Threading.Channels;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>
/// The agent's end of one connection, in the test's hand. What one <see cref="Write(string)"/> gives, one read of the client
/// takes: a reply is cut by writing it in parts and glued by writing several at once. Text is Latin-1: \u00FF is the byte 0xFF.
/// </summary>
internal sealed class PeerConnection
{
    private readonly Channel<IEnumerator<ReadOnlyMemory<byte>>> _sources =
        Channel.CreateUnbounded<IEnumerator<ReadOnlyMemory<byte>>>();
    private readonly Pipe _requests;
    private readonly TaskCompletionSource _closedByClient = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="requestBytes">What it takes of requests that the peer does not read; then the client's write waits.</param>
    public PeerConnection(long requestBytes)
    {
        _requests = new Pipe(new PipeOptions(
            pauseWriterThreshold: requestBytes, resumeWriterThreshold: requestBytes / 2, useSynchronizationContext: false));
        Stream = new PeerStream(_requests.Writer, _sources, _closedByClient);
    }

    /// <summary>The client's end.</summary>
    public PeerStream Stream { get; }

    /// <summary>Ends when the client has closed its end.</summary>
    public Task ClosedByClient => _closedByClient.Task.OrHang();

    public void Write(string text) => Write(Encoding.Latin1.GetBytes(text));

    public void Write(byte[] bytes) => Write([bytes]);

    /// <summary>Gives parts that are made only when the client reads them: it may be any amount.</summary>
    public void Write(IEnumerable<ReadOnlyMemory<byte>> parts) => _sources.Writer.TryWrite(parts.GetEnumerator());

    /// <summary>Does something at the moment when the client has taken all that was written before, and asks for more.</summary>
    public void Then(Action action)
    {
        Write(Moment());

        IEnumerable<ReadOnlyMemory<byte>> Moment()
        {
            action();
            yield break;
        }
    }

    /// <summary>Closes the peer's end; what was written before arrives.</summary>
    public void Close() => _sources.Writer.TryComplete();

    /// <summary>The connection breaks: the client's reads fail.</summary>
    public void Break() => _sources.Writer.TryComplete(new IOException("Connection reset by peer"));

    /// <summary>Waits for the next request.</summary>
    public async Task<PeerRequest> ReadAsync() =>
        await TryReadAsync().OrHang() ?? throw new InvalidOperationException("The client closed and sent no further request.");

    /// <summary>Waits for the next request; null once the client has closed.</summary>
    public Task<PeerRequest?> TryReadAsync() => PeerRequest.TryReadAsync(_requests.Reader);

    /// <summary>All that the client still sends until it closes.</summary>
    public async Task<string> ReadToEndAsync()
    {
        using var rest = new MemoryStream();
        await _requests.Reader.CopyToAsync(rest).OrHang();
        return Encoding.Latin1.GetString(rest.ToArray());
    }
}
