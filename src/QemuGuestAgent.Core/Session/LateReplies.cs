using System.Text.Json;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Session;

/// <summary>Requests whose callers gave up and whose replies are still wanted, by id.</summary>
internal sealed class LateReplies
{
    // A reply that never comes (the agent was restarted) must not be waited for in ever more memory.
    private const int MaxExpected = 64;

    private readonly Queue<(long Id, GuestAgentRequest Request)> _expected = new();

    /// <summary>Whether any reply is still wanted.</summary>
    public bool Any => _expected.Count > 0;

    public void Expect(long id, GuestAgentRequest request)
    {
        if (_expected.Count == MaxExpected)
        {
            _expected.Dequeue();
        }

        _expected.Enqueue((id, request));
    }

    /// <summary>Gives a reply to the request that it answers, if that is wanted.</summary>
    public bool TryDeliver(in Reply reply, Func<GuestAgentRequest, Reply, Errors.GuestAgentException> explain)
    {
        for (var left = _expected.Count; reply.Id is not null && left > 0; left--)
        {
            var (id, request) = _expected.Dequeue();
            if (id != reply.Id)
            {
                _expected.Enqueue((id, request));
            }
            else if (reply.Kind == ReplyKind.Return)
            {
                var reader = reply.OpenReturn();
                request.LateReply ??= new LateReply(JsonElement.ParseValue(ref reader), null);
                return true;
            }
            else if (reply.Kind == ReplyKind.Error)
            {
                request.LateReply ??= new LateReply(default, explain(request, reply));
                return true;
            }
        }

        return false;
    }
}
