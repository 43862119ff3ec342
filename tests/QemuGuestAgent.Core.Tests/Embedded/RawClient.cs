using System.Text;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Embedded;

/// <summary>A client that deals in bytes only. Text stands for bytes one to one: "\u00FF" is 0xFF.</summary>
internal sealed class RawClient(Stream stream) : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    private readonly byte[] _buffer = new byte[1 << 16];
    private readonly StringBuilder _received = new();

    public static RawClient To(EmbeddedGuestAgent agent) => new(agent.Connect());

    public static RawClient ToNew(EmbeddedGuestAgentOptions? options = null) => To(new EmbeddedGuestAgent(options));

    public Stream Stream => stream;

    /// <summary>The sizes of the reads so far.</summary>
    public List<int> Reads { get; } = [];

    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    public async Task SendAsync(byte[] bytes)
    {
        using var bound = new CancellationTokenSource(Bound);
        await stream.WriteAsync(bytes, bound.Token);
    }

    /// <summary>Receives a line, without its line feed.</summary>
    public Task<string> LineAsync() => UntilAsync("\n");

    /// <summary>Receives what comes before the mark.</summary>
    public async Task<string> UntilAsync(string mark)
    {
        using var bound = new CancellationTokenSource(Bound);
        var searched = 0;
        while (true)
        {
            var text = _received.ToString(searched, _received.Length - searched);
            var end = text.IndexOf(mark, StringComparison.Ordinal);
            if (end >= 0)
            {
                var before = _received.ToString(0, searched + end);
                _received.Remove(0, searched + end + mark.Length);
                return before;
            }

            searched = Math.Max(0, _received.Length - mark.Length + 1);
            var count = await stream.ReadAsync(_buffer, bound.Token);
            Reads.Add(count);
            _received.Append(Encoding.Latin1.GetString(_buffer, 0, count > 0 ? count : throw new EndOfStreamException()));
        }
    }

    /// <summary>Sends a request and receives a line.</summary>
    public async Task<string> AskAsync(string request)
    {
        await SendAsync(request + "\n");
        return await LineAsync();
    }

    /// <summary>Calls a command and receives a line; arguments and reply have ' for ".</summary>
    public async Task<string> CallAsync(string command, string arguments = "") =>
        (await AskAsync(Texts.Request(command, arguments.Replace('\'', '"')))).Replace('"', '\'');

    /// <summary>Sends a sync after 0xFF, and receives all that comes before its reply.</summary>
    public async Task<string> SkipToSyncAsync(long id)
    {
        await SendAsync("\u00FF{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":" + id + "}}\n");
        return await UntilAsync("\u00FF{\"return\": " + id + "}\n");
    }

    public void Dispose() => stream.Dispose();
}
