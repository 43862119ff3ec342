using System.Buffers;
using System.Text;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Schema;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Session;

/// <summary>
/// Gets in sync with the agent: 0xFF and guest-sync-delimited with a new random id, then every line is ignored until the reply that
/// carries the id (rules S1 to S7). An agent that refuses the command is asked with plain guest-sync, and one that refuses both with a
/// command that does not exist, because its error contains the name; one that is silent is asked again: a sync dies with the agent, or
/// the guest, that has taken it.
/// </summary>
internal sealed class Synchronization(
    GuestAgentEndpoint endpoint, AgentChannel channel, LateReplies late, AgentErrorMapper errors, GuestAgentSessionOptions options,
    bool isKnownAgent)
{
    // Longer than a sync's reply or an error; anything longer is dropped unread, unless a late reply is wanted.
    private const int LineBytes = 4096;

    private const string InfoCommand = "guest-info";

    // The last reply to guest-info: most guests of a host reply the same, and reading it takes a fifth of connecting.
    private static KnownInfo? _known;

    private long _id;
    private long _delimitedId;
    private SyncKind _kind;
    private bool _isDelimited;
    private long _bytesBefore;
    private long _linesBefore;
    private long _bytes;
    private long _lines;
    private string? _foreignLine;
    private bool _sawEcho;

    // Where an agent has answered before, a line cut off by its death does not make it something else.
    private bool _sawReply = isKnownAgent;

    // In the order in which they are tried.
    private enum SyncKind
    {
        Delimited,
        Plain,
        Unknown,
    }

    // Every agent repeats the name of a command that it does not know: "The command guest-sync-… has not been found".
    private string Command => _kind switch
    {
        SyncKind.Delimited => "guest-sync-delimited",
        SyncKind.Plain => "guest-sync",
        _ => $"guest-sync-{_id}",
    };

    private long BytesSkipped => _bytes + channel.Decoder.BytesDropped - _bytesBefore;

    private int LinesSkipped => (int)(_lines + channel.Decoder.LinesDropped - _linesBefore);

    /// <summary>Sends the sync request and ignores what comes before its reply.</summary>
    public async Task<SyncResult> RunAsync(CallScope scope)
    {
        var started = options.TimeProvider.GetTimestamp();
        var decoder = channel.Decoder;
        (_bytesBefore, _linesBefore) = (decoder.BytesDropped, decoder.LinesDropped);
        decoder.DropsLongLines = true;
        decoder.MaxLineBytes = late.Any ? options.MaxReplyBytes : LineBytes;
        channel.MaxBytesDropped = _bytesBefore + options.MaxSyncBytes;
        try
        {
            await SendAsync(scope).ConfigureAwait(false);
            await ReceiveAsync(scope).ConfigureAwait(false);
            return new SyncResult(_id, _isDelimited, BytesSkipped, LinesSkipped, options.TimeProvider.GetElapsedTime(started));
        }
        catch (GuestAgentException lost) when (lost.Is(ErrorCatalogue.ConnectionLost) && Diagnose() is { } diagnosis)
        {
            throw diagnosis;
        }
        finally
        {
            decoder.DropsLongLines = false;
            decoder.MaxLineBytes = options.MaxReplyBytes;
            channel.MaxBytesDropped = long.MaxValue;
        }
    }

    /// <summary>
    /// Asks guest-info, with an id: one request tells whether ids are echoed, what the agent knows and what its policy allows. Its
    /// version tells nothing of the kind: builds of others count otherwise.
    /// </summary>
    public async Task<(GuestAgentInfo? Agent, bool EchoesRequestIds)> ProbeAsync(CallScope scope)
    {
        var id = RequestId.Next();
        var (info, echoedId) = await AskInfoAsync(id, scope).ConfigureAwait(false);
        if (info is null && echoedId is null)
        {
            // An agent that ignores the id answers without it; one that refuses it is asked again.
            (info, _) = await AskInfoAsync(null, scope).ConfigureAwait(false);
        }

        return (info, echoedId == id);
    }

    /// <summary>What the peer seems to be, where what came from it is not what an agent sends; else null.</summary>
    public GuestAgentException? Diagnose() =>
        _sawReply ? null
        : _sawEcho ? ErrorCatalogue.EndpointEchoes.With(endpoint)
        : _foreignLine is { } text ? ErrorCatalogue.NotAnAgent.With(endpoint, text)
        : null;

    // Receives until the answer has come, and asks again, where that is due.
    private async Task ReceiveAsync(CallScope scope)
    {
        var wait = options.SyncRepeatWait;
        var silence = scope.Within(wait);
        try
        {
            while (true)
            {
                try
                {
                    if (await channel.ReceiveAsync<bool>(TryRead, silence).ConfigureAwait(false))
                    {
                        return;
                    }

                    // Perhaps the answer to a former client; then all syncs are answered, in order, and the last one counts.
                    _kind++;
                    await SendAsync(scope).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!scope.HasEnded)
                {
                    // Twice as long each time: even a slow agent must once have answered the last before there is another.
                    silence.Dispose();
                    silence = scope.Within(wait += wait);
                    if (channel.HasSent)
                    {
                        await SendAsync(scope).ConfigureAwait(false);
                    }
                }
            }
        }
        finally
        {
            silence.Dispose();
        }
    }

    // The result is whether it is the answer; else the agent does not know the command, or its policy forbids it.
    private bool TryRead(in Reply reply, in ReadOnlySequence<byte> line, out bool isAnswer)
    {
        isAnswer = reply.ReturnedNumber == _id
            || (_kind == SyncKind.Unknown && reply.Kind == ReplyKind.Error && reply.Error.Description.Contains(Command));
        _isDelimited |= reply.ReturnedNumber == _delimitedId;
        Note(reply, line);
        if (late.TryDeliver(reply, errors.Explain))
        {
            return false;
        }

        if (isAnswer)
        {
            return true;
        }

        _bytes += line.Length + 1;
        _lines++;
        return BytesSkipped > options.MaxSyncBytes
            ? throw ErrorCatalogue.SyncSkippedTooMuch.With(endpoint, options.MaxSyncBytes)
            : _kind != SyncKind.Unknown && reply.Kind == ReplyKind.Error && reply.Error.Class == "CommandNotFound";
    }

    // The id is null where the reply has none.
    private async ValueTask<(GuestAgentInfo? Info, long? Id)> AskInfoAsync(long? id, CallScope scope)
    {
        RequestWriter.Write(await channel.StartMessageAsync(scope).ConfigureAwait(false), InfoCommand, null, id);
        channel.Send();
        return await channel.ReceiveAsync(
            (in Reply reply, in ReadOnlySequence<byte> _, out (GuestAgentInfo?, long?) result) =>
            {
                result = default;
                if (reply.Kind is ReplyKind.Return or ReplyKind.Error && (reply.Id is null || reply.Id == id))
                {
                    errors.ThrowIfNotAgents(InfoCommand, reply);
                    result = (reply.Kind == ReplyKind.Return ? ParseInfo(reply) : null, reply.Id);
                    return true;
                }

                if (reply.Kind is ReplyKind.Malformed or ReplyKind.TooComplex)
                {
                    throw ErrorCatalogue.ReplyMalformed.With(
                        InfoCommand, endpoint, "the line is not a JSON object with a return or an error, within the bounds.");
                }

                late.TryDeliver(reply, errors.Explain);
                return false;
            },
            scope).ConfigureAwait(false);
    }

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

    private async ValueTask SendAsync(CallScope scope)
    {
        var message = await channel.StartMessageAsync(scope).ConfigureAwait(false);
        _id = RequestId.Next();
        if (_kind == SyncKind.Delimited)
        {
            _delimitedId = _id;
        }

        RequestWriter.WriteSync(message, Command, _id);
        channel.Send();
    }

    private GuestAgentInfo ParseInfo(in Reply reply)
    {
        var text = reply.Return.IsSingleSegment ? reply.Return.First.Span : default;
        if (_known is { } known && text.SequenceEqual(known.Text))
        {
            // An object of its own: by it, a session's guest is told from others.
            return known.Info with { };
        }

        try
        {
            var reader = reply.OpenReturn();
            var info = GuestAgentInfo.Parse(ref reader);
            if (!text.IsEmpty)
            {
                _known = new KnownInfo(text.ToArray(), info);
            }

            return info;
        }
        catch (InvalidOperationException e)
        {
            throw ErrorCatalogue.ReplyUnexpected.Because(e, InfoCommand, endpoint, e.Message);
        }
    }

    private sealed record KnownInfo(byte[] Text, GuestAgentInfo Info);
}
