using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace QemuGuestAgent.Benchmarks;

/// <summary>A listening agent that answers each command with bytes made beforehand: what it takes itself is next to nothing.</summary>
internal sealed class CannedAgent : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Dictionary<string, byte[]> _results;

    /// <summary>Listens.</summary>
    /// <param name="path">The socket's path.</param>
    /// <param name="results">The values of <c>return</c> by command; of others it is an empty object.</param>
    public CannedAgent(string path, Dictionary<string, string> results)
    {
        _results = results.ToDictionary(result => result.Key, result => Encoding.ASCII.GetBytes(result.Value));
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
        new Thread(Accept) { IsBackground = true }.Start();
    }

    public void Dispose() => _listener.Dispose();

    private void Accept()
    {
        try
        {
            while (true)
            {
                var client = _listener.Accept();
                new Thread(() => Serve(client)) { IsBackground = true }.Start();
            }
        }
        catch (SocketException)
        {
            // Disposed.
        }
    }

    private void Serve(Socket client)
    {
        using var stream = new NetworkStream(client, ownsSocket: true);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        while (reader.ReadLine() is { } line)
        {
            using var request = JsonDocument.Parse(line.TrimStart('\u00FF'));
            var command = request.RootElement.GetProperty("execute").GetString()!;
            if (command == "guest-sync-delimited")
            {
                stream.Write(Encoding.Latin1.GetBytes($"\u00FF{{\"return\": {request.RootElement.GetProperty("arguments").GetProperty("id")}}}\n"));
                continue;
            }

            stream.Write("{\"return\": "u8);
            stream.Write(_results.TryGetValue(command, out var result) ? result : "{}"u8);
            stream.Write(request.RootElement.TryGetProperty("id", out var id) ? Encoding.ASCII.GetBytes($", \"id\": {id}}}\n") : "}\n"u8);
        }
    }
}
