using System.Text;
using System.Text.RegularExpressions;
using System.Threading.Channels;
using QemuGuestAgent.Core.Endpoints;

namespace QemuGuestAgent.Core.Tests.WindowsGuest;

/// <summary>Another endpoint, whose guest can be made to look frozen: its agent then refuses what it refuses in a frozen guest.</summary>
internal sealed partial class FreezingEndpoint(GuestAgentEndpoint inner) : GuestAgentEndpoint
{
    private int _refused;

    public bool IsFrozen { get; set; }

    /// <summary>How many requests were refused.</summary>
    public int Refused => Volatile.Read(ref _refused);

    public override async Task<Stream> OpenAsync(CancellationToken cancellationToken) =>
        new Filter(this, await inner.OpenAsync(cancellationToken));

    public override string ToString() => inner.ToString();

    // The reply to a request in a frozen guest; null where the agent answers itself.
    private string? Refuse(string request)
    {
        var command = Command().Match(request).Groups[1].Value;
        if (!IsFrozen || command is "" or "guest-sync" or "guest-sync-delimited" or "guest-ping" or "guest-info")
        {
            return null;
        }

        var id = Id().Match(request).Value;
        if (command == "guest-fsfreeze-status")
        {
            return $$"""{"return": "frozen"{{id}}}""" + "\n";
        }

        Interlocked.Increment(ref _refused);
        return $$$"""{"error": {"class": "CommandNotFound", "desc": "Command {{{command}}} has been disabled: the agent is in frozen state"}{{{id}}}}""" + "\n";
    }

    [GeneratedRegex("\"execute\": ?\"([^\"]+)\"")]
    private static partial Regex Command();

    [GeneratedRegex(", ?\"id\": ?[^,}]+")]
    private static partial Regex Id();

    private sealed class Filter : ChannelStream
    {
        private readonly FreezingEndpoint _owner;
        private readonly Stream _stream;
        private readonly Channel<byte[]> _received = Channel.CreateUnbounded<byte[]>();
        private ReadOnlyMemory<byte> _rest;

        public Filter(FreezingEndpoint owner, Stream stream)
        {
            (_owner, _stream) = (owner, stream);
            _ = PumpAsync();
        }

        protected override async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            if (_rest.IsEmpty)
            {
                if (!await _received.Reader.WaitToReadAsync(cancellationToken))
                {
                    return 0;
                }

                _rest = await _received.Reader.ReadAsync(cancellationToken);
            }

            var count = Math.Min(buffer.Length, _rest.Length);
            _rest[..count].CopyTo(buffer);
            _rest = _rest[count..];
            return count;
        }

        // Requests are sent whole, and a frozen guest gets short ones only.
        protected override ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            if (_owner.Refuse(Encoding.UTF8.GetString(bytes.Span)) is not { } reply)
            {
                return _stream.WriteAsync(bytes, cancellationToken);
            }

            _received.Writer.TryWrite(Encoding.UTF8.GetBytes(reply));
            return ValueTask.CompletedTask;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _stream.Dispose();
            }

            base.Dispose(disposing);
        }

        private async Task PumpAsync()
        {
            var buffer = new byte[1 << 16];
            try
            {
                while (await _stream.ReadAsync(buffer) is var count and > 0)
                {
                    _received.Writer.TryWrite(buffer[..count]);
                }

                _received.Writer.Complete();
            }
            catch (Exception e)
            {
                _received.Writer.Complete(e);
            }
        }
    }
}
