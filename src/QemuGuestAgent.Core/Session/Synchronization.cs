using System.Buffers;
using System.Text;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Schema;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Session;

/// <summary>
/// Gets in sync with the agent: 0xFF and guest-sync-delimited with a new random id, then every line is ignored until the reply that
/// carries the id (rules S1 to S7). An agent without the command is asked with plain guest-sync; one that is silent, again: a sync dies
/// with the agent, or the guest, that has taken it.
/// </summary>
internal sealed class Synchronization(
    GuestAgentEndpoint endpoint, AgentChannel channel, LateReplies late, AgentErrorMapper replies, GuestAgentSessionOptions options,
    bool isKnownAgent)
{
    // Longer than a sync's reply or an error; anything longer is dropped unread, unless a late reply is wanted.
    private const int LineBytes = 4096;

    private const string InfoCommand = "guest-info";

    private long _id;
    private long _delimitedId;
    private bool _isPlain;
    private string? _foreignLine;
    private bool _sawEcho;

    // Where an agent has answered before, a line cut off by its death does not make it something else.
    private bool _sawReply = isKnownAgent;

    /// <summary>Sends the sync request and ignores what comes before its reply.</summary>
    public async Task<SyncResult> RunAsync(CancellationToken cancellationToken)
    {
        var decoder = channel.Decoder;
        var started = options.TimeProvider.GetTimestamp();
        var (bytesBefore, linesBefore) = (decoder.BytesDropped, decoder.LinesDropped);
        var (bytes, lines) = (0L, 0);
        decoder.DropsLongLines = true;
        decoder.MaxLineBytes = late.Any ? options.MaxReplyBytes : LineBytes;
        channel.MaxBytesDropped = bytesBefore + options.MaxSyncBytes;
        var wait = options.SyncRepeatWait;
        var silence = Silence(wait, cancellationToken);
        try
        {
            await SendAsync(cancellationToken).ConfigureAwait(false);
            var isDelimited = false;
            while (true)
            {
                ReadOnlySequence<byte> line;
                try
                {
                    line = await channel.ReceiveAsync(silence.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
                {
                    // Twice as long each time: even a slow agent must once have answered the last before there is another.
                    silence.Dispose();
                    silence = Silence(wait += wait, cancellationToken);
                    if (channel.HasSent)
                    {
                        await SendAsync(cancellationToken).ConfigureAwait(false);
                    }

                    continue;
                }

                var length = line.Length + 1;
                bool isAnswer, hasNoDelimitedSync;
                try
                {
                    var reply = Reply.Parse(line, options.MaxReplyDepth, options.MaxReplyValues);
                    isAnswer = reply.ReturnedNumber == _id;
                    isDelimited |= reply.ReturnedNumber == _delimitedId;
                    hasNoDelimitedSync = reply.Kind == ReplyKind.Error && reply.Error.Class == "CommandNotFound";
                    Note(reply, line);
                    if (late.TryDeliver(reply, replies.Explain))
                    {
                        continue;
                    }
                }
                finally
                {
                    channel.Release();
                }

                if (isAnswer)
                {
                    return new SyncResult(
                        _id, isDelimited,
                        bytes + decoder.BytesDropped - bytesBefore,
                        lines + (int)(decoder.LinesDropped - linesBefore),
                        options.TimeProvider.GetElapsedTime(started));
                }

                bytes += length;
                lines++;
                if (bytes + decoder.BytesDropped - bytesBefore > options.MaxSyncBytes)
                {
                    throw ErrorCatalogue.SyncSkippedTooMuch.With(endpoint, options.MaxSyncBytes);
                }

                if (hasNoDelimitedSync && !_isPlain)
                {
                    // Perhaps the answer to a former client; then both syncs are answered, in order, and the last one counts.
                    _isPlain = true;
                    await SendAsync(cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (GuestAgentException lost) when (lost.Is(ErrorCatalogue.ConnectionLost) && Diagnose() is { } diagnosis)
        {
            throw diagnosis;
        }
        finally
        {
            silence.Dispose();
            decoder.DropsLongLines = false;
            decoder.MaxLineBytes = options.MaxReplyBytes;
            channel.MaxBytesDropped = long.MaxValue;
        }
    }

    /// <summary>
    /// Asks guest-info, with an id: one request tells whether ids are echoed, what the agent knows and what its policy allows. Its
    /// version tells nothing of the kind: builds of others count otherwise.
    /// </summary>
    public async Task<(GuestAgentInfo? Agent, bool EchoesRequestIds)> ProbeAsync(CancellationToken cancellationToken)
    {
        var id = RequestId.Next();
        var echoes = true;
        await SendInfoAsync(id, cancellationToken).ConfigureAwait(false);
        while (true)
        {
            var line = await channel.ReceiveAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                var reply = Reply.Parse(line, options.MaxReplyDepth, options.MaxReplyValues);
                if (reply.Kind is ReplyKind.Return or ReplyKind.Error && (reply.Id is null || reply.Id == id))
                {
                    replies.ThrowIfNotAgents(InfoCommand, reply);

                    // An agent that ignores the id answers without it; one that refuses it is asked again.
                    var refused = echoes && reply.Id is null && reply.Kind == ReplyKind.Error;
                    echoes &= reply.Id == id;
                    if (!refused)
                    {
                        return (reply.Kind == ReplyKind.Return ? ParseInfo(reply) : null, echoes);
                    }
                }
                else if (reply.Kind is ReplyKind.Malformed or ReplyKind.TooComplex)
                {
                    throw ErrorCatalogue.ReplyMalformed.With(
                        InfoCommand, endpoint, "the line is not a JSON object with a return or an error, within the bounds.");
                }
                else
                {
                    late.TryDeliver(reply, replies.Explain);
                    continue;
                }
            }
            finally
            {
                channel.Release();
            }

            await SendInfoAsync(null, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>What the peer seems to be, where what came from it is not what an agent sends; else null.</summary>
    public GuestAgentException? Diagnose() =>
        _sawReply ? null
        : _sawEcho ? ErrorCatalogue.EndpointEchoes.With(endpoint)
        : _foreignLine is { } text ? ErrorCatalogue.NotAnAgent.With(endpoint, text)
        : null;

    private void Note(in Reply reply, in ReadOnlySequence<byte> line)
    {
        _sawReply |= reply.Kind is ReplyKind.Return or ReplyKind.Error;
        _sawEcho |= reply.Kind == ReplyKind.Echo;
        if (reply.Kind == ReplyKind.Malformed)
        {
            var text = Encoding.ASCII.GetString(line.Slice(0, Math.Min(line.Length, 80)).ToArray());
            _foreignLine ??= text;

            // QEMU's monitor answers in the same form as the agent: only its greeting tells.
            if (text.StartsWith("{\"QMP\"", StringComparison.Ordinal))
            {
                throw ErrorCatalogue.NotAnAgent.With(endpoint, text);
            }
        }
    }

    private CallScope Silence(TimeSpan time, CancellationToken cancellationToken) =>
        new(new CallOptions { Timeout = time }, options.TimeProvider, cancellationToken, CancellationToken.None);

    private async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        var message = await channel.StartMessageAsync(cancellationToken).ConfigureAwait(false);
        _id = RequestId.Next();
        if (!_isPlain)
        {
            _delimitedId = _id;
        }

        RequestWriter.WriteSync(message, _isPlain ? "guest-sync" : "guest-sync-delimited", _id);
        channel.Send();
    }

    private async ValueTask SendInfoAsync(long? id, CancellationToken cancellationToken)
    {
        RequestWriter.Write(await channel.StartMessageAsync(cancellationToken).ConfigureAwait(false), InfoCommand, null, id);
        channel.Send();
    }

    private GuestAgentInfo ParseInfo(in Reply reply)
    {
        try
        {
            var reader = reply.OpenReturn();
            return GuestAgentInfo.Parse(ref reader);
        }
        catch (InvalidOperationException e)
        {
            throw ErrorCatalogue.ReplyUnexpected.Because(e, InfoCommand, endpoint, e.Message);
        }
    }
}
