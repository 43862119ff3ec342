using System.Text;
using QemuGuestAgent.Core.Endpoints;

namespace QemuGuestAgent.Core.Tests.Contract;

/// <summary>A client without manners: what is on the wire, and nothing else.</summary>
public sealed class RawClient(Stream stream) : IAsyncDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);

    private readonly List<byte> _received = [];

    /// <summary>Sends the characters as bytes: \u00FF is the sentinel.</summary>
    public async Task SendAsync(string bytes) =>
        await stream.WriteAsync(Encoding.Latin1.GetBytes(bytes), TestContext.Current.CancellationToken);

    /// <summary>The next line without its end, its bytes as characters.</summary>
    public async Task<string> ReadLineAsync()
    {
        int end;
        while ((end = _received.IndexOf((byte)'\n')) < 0)
        {
            await ReadSomeAsync();
        }

        var line = Encoding.Latin1.GetString(_received.GetRange(0, end).ToArray());
        _received.RemoveRange(0, end + 1);
        return line;
    }

    /// <summary>Waits until something has come that no line read so far holds.</summary>
    public async Task ReadSomeAsync()
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        bound.CancelAfter(Longest);
        var buffer = new byte[4096];
        var count = await stream.ReadAsync(buffer, bound.Token);
        Assert.True(count > 0, "The agent closed the connection.");
        _received.AddRange(buffer.AsSpan(0, count));
    }

    public async ValueTask DisposeAsync()
    {
        await stream.DisposeAsync();
        if (stream is ProcessStream program)
        {
            // It still passes on what it was given last.
            await program.CloseAsync();
        }
    }
}
