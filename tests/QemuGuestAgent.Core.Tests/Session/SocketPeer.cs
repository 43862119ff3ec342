using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Tests.Errors;
using static QemuGuestAgent.Core.Tests.Session.AgentScript;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>A real socket, whose agent is the test: it accepts one client.</summary>
internal sealed class SocketPeer : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("qga");
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private NetworkStream? _stream;
    private PipeReader? _reader;

    public SocketPeer()
    {
        SocketPath = Path.Combine(_folder.FullName, "s");
        _listener.Bind(new UnixDomainSocketEndPoint(SocketPath));
        _listener.Listen(1);
    }

    public string SocketPath { get; }

    public UnixEndpoint Endpoint => new(SocketPath);

    /// <summary>Accepts the client, and answers until it is in sync.</summary>
    public async Task AcceptAsync()
    {
        _stream = new NetworkStream(await _listener.AcceptAsync(CancellationToken.None).AsTask().OrHang(), ownsSocket: true);
        _reader = PipeReader.Create(_stream);
        Write(Sync((await TryReadAsync())!));
        Write(Return((await TryReadAsync())!, Info));
    }

    /// <summary>Waits for the next request; null once the client has closed.</summary>
    public Task<PeerRequest?> TryReadAsync() => PeerRequest.TryReadAsync(_reader!).OrHang();

    public void Write(string text) => _stream!.Write(Encoding.Latin1.GetBytes(text));

    public void Dispose()
    {
        _stream?.Dispose();
        _listener.Dispose();
        _folder.Delete(recursive: true);
    }
}
