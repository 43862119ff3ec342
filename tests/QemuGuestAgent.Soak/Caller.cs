using System.Globalization;
using System.Text;
using System.Text.Json;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Soak;

/// <summary>Asks an agent that is well one thing after the other, and compares each answer with the right one.</summary>
internal sealed class Caller
{
    private const int ContentBytes = 48_000;

    private static readonly byte[] Content = [.. Enumerable.Range(0, ContentBytes).Select(i => (byte)((i * 31) ^ (i >> 8)))];

    private readonly GuestAgentSession _session;
    private readonly Random _random;
    private readonly Work _work;
    private readonly long _handle;

    private Caller(GuestAgentSession session, Work work, Random random, long handle) =>
        (_session, _work, _random, _handle) = (session, work, random, handle);

    /// <summary>How many works it asked for, less those that it saw carried out, which may be another caller's of the same guest.</summary>
    public long Outstanding { get; private set; }

    /// <param name="session">The session that it has, perhaps with others.</param>
    /// <param name="work">The work of the session's guest.</param>
    /// <param name="random">What decides what it asks.</param>
    public static async Task<Caller> StartAsync(GuestAgentSession session, Work work, Random random)
    {
        var path = $"/tmp/{random.Next()}";
        var handle = (await session.InvokeAsync(Deed.Make("guest-file-open", ("path", path), ("mode", "w+")))).GetInt64();
        await session.InvokeAsync(Deed.Make("guest-file-write", ("handle", handle), ("buf-b64", Content)));
        return new Caller(session, work, random, handle);
    }

    /// <summary>Asks one thing.</summary>
    /// <exception cref="SoakException">The answer is wrong.</exception>
    public Task AskAsync() => _random.Next(16) switch
    {
        0 => ReadAsync(),
        1 => RunAsync(),
        _ => WorkAsync(),
    };

    private async Task WorkAsync()
    {
        var number = _random.NextInt64(1 << 30);
        var reply = await _session.InvokeAsync(_work.Request(number));
        Outstanding += 1 - _work.Take().Count;
        Check(_work.IsRight(number, reply), number, reply);
    }

    private async Task ReadAsync()
    {
        var (position, count) = (_random.Next(Content.Length), _random.Next(1, 4096));
        await _session.InvokeAsync(Deed.Make("guest-file-seek", ("handle", _handle), ("offset", position), ("whence", "set")));
        var reply = await _session.InvokeAsync(Deed.Make("guest-file-read", ("handle", _handle), ("count", count)));
        var expected = Content[position..Math.Min(position + count, Content.Length)];
        Check(expected.SequenceEqual(reply.GetProperty("buf-b64").GetBytesFromBase64()), position, reply);
    }

    private async Task RunAsync()
    {
        var text = _random.NextInt64().ToString(CultureInfo.InvariantCulture);
        var started = await _session.InvokeAsync(
            Deed.Make("guest-exec", ("path", "echo"), ("arg", new[] { "-n", text }), ("capture-output", true)));
        var reply = await _session.InvokeAsync(Deed.Make("guest-exec-status", ("pid", started.GetProperty("pid").GetInt64())));
        Check(Encoding.ASCII.GetString(reply.GetProperty("out-data").GetBytesFromBase64()) == text, text, reply);
    }

    private static void Check(bool isRight, object asked, JsonElement reply)
    {
        if (!isRight)
        {
            throw new SoakException($"asked with {asked}, and answered by {reply}");
        }
    }
}
