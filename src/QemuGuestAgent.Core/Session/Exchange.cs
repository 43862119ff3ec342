using System.Buffers;
using System.Text.Json;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Session;

/// <summary>One command and its reply, on a channel that is in sync.</summary>
internal sealed class Exchange(
    GuestAgentEndpoint endpoint, AgentChannel channel, LateReplies late, AgentErrorMapper errors, GuestAgentSessionOptions options,
    bool echoesIds, GuestAgentRequest request)
{
    /// <summary>The request's id.</summary>
    public long Id { get; } = RequestId.Next();

    /// <summary>The id of the ping behind a command whose success is no reply.</summary>
    public long? PingId { get; private set; }

    /// <summary>When the request was sent, by the session's clock.</summary>
    public long Sent { get; private set; }

    /// <summary>Whether nothing is due from the agent: the request was not sent, or its reply has been read.</summary>
    public bool InSync { get; private set; } = true;

    /// <summary>Sends the command and waits for its reply.</summary>
    /// <param name="parse">Reads the reply's value.</param>
    /// <param name="isAnswered">Whether the agent replies on success.</param>
    /// <param name="scope">Ends the wait.</param>
    public async ValueTask<T?> RunAsync<T>(ReplyParser<T> parse, bool isAnswered, CallScope scope)
    {
        var message = await channel.StartMessageAsync(scope).ConfigureAwait(false);
        RequestWriter.Write(message, request.Command, request.WriteArguments, echoesIds ? Id : null);
        if (message.Written.Length > RequestWriter.MaxRequestBytes)
        {
            throw ErrorCatalogue.RequestTooLong.With(request.Command, message.Written.Length, RequestWriter.MaxRequestBytes);
        }

        if (isAnswered)
        {
            Send();
            return await ReceiveAsync(parse, scope).ConfigureAwait(false);
        }

        // Success is no reply; but replies come in order, so that the answer to a ping sent right behind shows that there was no error.
        var pingId = RequestId.Next();
        PingId = pingId;
        var pingStart = message.Written.Length;
        RequestWriter.Write(message, "guest-ping", null, echoesIds ? pingId : null);
        Send(pingStart);
        await ReceiveErrorOnlyAsync(pingId, scope).ConfigureAwait(false);
        return default;
    }

    private void Send(int second = 0)
    {
        InSync = false;
        channel.Send(second);
        Sent = options.TimeProvider.GetTimestamp();
    }

    private ValueTask<T> ReceiveAsync<T>(ReplyParser<T> parse, CallScope scope) => channel.ReceiveAsync(
        (in Reply reply, in ReadOnlySequence<byte> _, out T result) =>
        {
            result = default!;
            if (!Concerns(reply, Id))
            {
                return false;
            }

            // An agent without ids may answer one bad request with several errors: after an error, it is asked to show that it is in sync.
            InSync = echoesIds || reply.Kind == ReplyKind.Return;
            result = reply.Kind == ReplyKind.Return ? Read(reply, parse) : throw errors.Explain(request, reply);
            return true;
        },
        scope);

    private async Task ReceiveErrorOnlyAsync(long pingId, CallScope scope)
    {
        using var silence = scope.Within(options.NoReplyWait);
        try
        {
            request.LateReply = await channel.ReceiveAsync(
                (in Reply reply, in ReadOnlySequence<byte> _, out LateReply result) =>
                {
                    result = new LateReply(default, null);
                    if (echoesIds && reply.Id == pingId)
                    {
                        return true;
                    }

                    var isAnswer = Concerns(reply, Id);
                    return isAnswer && reply.Kind == ReplyKind.Error ? throw errors.Explain(request, reply) : isAnswer;
                },
                silence).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!scope.HasEnded)
        {
            // Silence: the guest does what it was told.
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.ConnectionLost))
        {
            // QEMU went away with its guest; the next command finds that out.
        }
    }

    // Whether the reply answers the request with that id; throws where it shows that no answer will come.
    private bool Concerns(in Reply reply, long id)
    {
        switch (reply.Kind)
        {
            case ReplyKind.Blank or ReplyKind.Echo:
                return false;
            case ReplyKind.Malformed:
                throw ErrorCatalogue.ReplyMalformed.With(request.Command, endpoint, "the line is not a JSON object with a return or an error.");
            case ReplyKind.TooComplex when !echoesIds || reply.Id is null || reply.Id == id:
                InSync = reply.Id == id;
                throw ErrorCatalogue.ReplyTooComplex.With(
                    request.Command, endpoint, options.MaxReplyDepth, options.MaxReplyValues);
        }

        if (!echoesIds || reply.Id == id)
        {
            return reply.Kind != ReplyKind.TooComplex;
        }

        if (reply.Id is null && reply.Kind == ReplyKind.Error)
        {
            // Only what its parser could not read does such an agent answer without an id.
            throw ErrorCatalogue.RequestLost.With(request.Command, endpoint, reply.Error.Description);
        }

        late.TryDeliver(reply, errors.Explain);
        return false;
    }

    private T Read<T>(in Reply reply, ReplyParser<T> parse)
    {
        try
        {
            var reader = reply.OpenReturn();
            return parse(ref reader);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw ErrorCatalogue.ReplyUnexpected.Because(e, request.Command, endpoint, e.Message);
        }
    }
}
