using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Fuzz;

/// <summary>
/// An agent that says what a script says, whatever it is asked. Bytes below 8 stand for what a script cannot know, and for events; all
/// others are said as they are. All happens on the caller's thread, so that the same script does the same every time.
/// </summary>
internal sealed class ScriptedAgent(ReadOnlyMemory<byte> script, FakeTimeProvider time) : GuestAgentEndpoint
{
    private const byte SyncId = 1, LastId = 2, EarlierId = 3, EndOfRead = 4, Silence = 5, Cancel = 6, Break = 7;

    private readonly List<byte> _said = [];
    private ReadOnlyMemory<byte> _script = script;
    private long _syncId;
    private bool _expectsSilence;

    /// <summary>The ids of the requests so far.</summary>
    public List<long> Ids { get; } = [];

    /// <summary>The time after which a caller gives up, and that after which silence is success.</summary>
    public static (TimeSpan Call, TimeSpan NoReply) Times { get; } = (TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(5));

    /// <summary>The caller loses patience.</summary>
    public Action CancelCall { get; set; } = () => { };

    /// <summary>Everything said so far, cut into lines the plain way.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Lines
    {
        get
        {
            var (said, start) = (_said.ToArray(), 0);
            for (var i = 0; i < said.Length; i++)
            {
                if (said[i] == '\n')
                {
                    yield return said.AsMemory(start, i - start);
                }

                start = said[i] is (byte)'\n' or FrameDecoder.Sentinel ? i + 1 : start;
            }
        }
    }

    public override Task<Stream> OpenAsync(CancellationToken cancellationToken) => Task.FromResult<Stream>(new Connection(this));

    public override string ToString() => "scripted:";

    private void Take(ReadOnlySpan<byte> requests)
    {
        var count = 0;
        foreach (var text in Encoding.Latin1.GetString(requests).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using var request = JsonDocument.Parse(text.TrimStart('\u00FF'));
            var isSync = request.RootElement.GetProperty("execute").GetString()!.StartsWith("guest-sync", StringComparison.Ordinal);
            count++;
            if (isSync)
            {
                _syncId = request.RootElement.GetProperty("arguments").GetProperty("id").GetInt64();
            }
            else if (request.RootElement.TryGetProperty("id", out var id))
            {
                Ids.Add(id.GetInt64());
            }
        }

        // A ping behind it: it is of a command whose success is silence.
        _expectsSilence = count > 1;
    }

    /// <summary>What one read gives: null for silence.</summary>
    private byte[]? Post()
    {
        var bytes = new List<byte>();
        while (!_script.IsEmpty)
        {
            var next = _script.Span[0];
            if (next is Silence or Cancel or Break && bytes.Count > 0)
            {
                break;
            }

            _script = _script[1..];
            switch (next)
            {
                case SyncId: Add(_syncId); break;
                case LastId: Add(Ids.LastOrDefault()); break;
                case EarlierId: Add(Ids.Count > 1 ? Ids[^2] : 0); break;
                case EndOfRead when bytes.Count > 0: return Said(bytes);
                case EndOfRead: break;
                case Silence:
                    time.Advance(_expectsSilence ? Times.NoReply : Times.Call);
                    return null;
                case Cancel:
                    CancelCall();
                    return null;
                case Break: throw new IOException("Connection reset by peer");
                default: bytes.Add(next); break;
            }
        }

        return Said(bytes);

        void Add(long id) => bytes.AddRange(Encoding.ASCII.GetBytes(id.ToString(CultureInfo.InvariantCulture)));
    }

    private byte[] Said(List<byte> bytes)
    {
        _said.AddRange(bytes);
        return [.. bytes];
    }

    private sealed class Connection(ScriptedAgent agent) : ChannelStream
    {
        private ReadOnlyMemory<byte> _rest;
        private (Memory<byte> Destination, TaskCompletionSource<int> Count)? _pending;

        protected override ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken)
        {
            if (_rest.IsEmpty)
            {
                if (agent.Post() is not { } said)
                {
                    _pending = (destination, new TaskCompletionSource<int>());
                    return new ValueTask<int>(_pending.Value.Count.Task);
                }

                _rest = said;
            }

            var count = Math.Min(destination.Length, _rest.Length);
            _rest[..count].CopyTo(destination);
            _rest = _rest[count..];
            return ValueTask.FromResult(count);
        }

        protected override ValueTask SendAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
        {
            agent.Take(source.Span);
            if (_pending is { } pending)
            {
                _pending = null;
                _ = GoOnAsync(pending.Destination, pending.Count);
            }

            return ValueTask.CompletedTask;
        }

        // The read that nobody waited for.
        private async Task GoOnAsync(Memory<byte> destination, TaskCompletionSource<int> count)
        {
            try
            {
                count.SetResult(await ReceiveAsync(destination, CancellationToken.None).ConfigureAwait(false));
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                count.SetException(e);
            }
        }

        protected override void Dispose(bool disposing)
        {
            _pending?.Count.TrySetException(new ObjectDisposedException(nameof(Connection)));
            base.Dispose(disposing);
        }
    }
}
