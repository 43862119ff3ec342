using System.Collections;
using System.Collections.Specialized;
using System.Text.Json;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations;

/// <summary>Takes processors and memory blocks online or offline, even if the agent does only a part at once.</summary>
public static class OnlineSwitching
{
    /// <summary>
    /// Takes processors online or offline (guest-set-vcpus). The agent stops at the first that it cannot switch and tells only
    /// how many it has done, so what is left is sent again: then it tells why. The others are tried anyway.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="ids">The processors' logical ids.</param>
    /// <param name="online">Whether to take them online.</param>
    /// <param name="call">Time limit for the whole operation, and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation; the session stays usable.</param>
    /// <returns>The errors of those that were not switched; the target of each is the id.</returns>
    /// <exception cref="GuestAgentException">As InvokeAsync.</exception>
    public static async Task<IReadOnlyList<GuestAgentException>> SwitchProcessorsAsync(
        this GuestAgentSession session, IReadOnlyList<ulong> ids, bool online,
        CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var failures = new List<GuestAgentException>();
        var timing = new OperationTime(session.Clock, call);
        for (var done = 0; done < ids.Count;)
        {
            var rest = ids.Skip(done).ToList();
            try
            {
                var reply = await session.InvokeAsync(
                    Request("guest-set-vcpus", "vcpus", "logical-id", rest, online), timing.Rest(), cancellationToken)
                    .ConfigureAwait(false);
                done += Checked(session, "guest-set-vcpus", CountOf(reply), rest.Count);
            }
            catch (GuestAgentException e) when (e.Is(ErrorCatalogue.AgentError))
            {
                e.Target = rest[0];
                failures.Add(e);
                done++;
            }
        }

        return failures;
    }

    /// <summary>
    /// Takes memory blocks online or offline (guest-set-memory-blocks). What the agent leaves unanswered is sent again.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="ids">The blocks' physical indexes.</param>
    /// <param name="online">Whether to take them online.</param>
    /// <param name="call">Time limit for the whole operation, and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation; the session stays usable.</param>
    /// <returns>The errors of those that were not switched; the target of each is the index.</returns>
    /// <exception cref="GuestAgentException">As InvokeAsync.</exception>
    public static async Task<IReadOnlyList<GuestAgentException>> SwitchMemoryBlocksAsync(
        this GuestAgentSession session, IReadOnlyList<ulong> ids, bool online,
        CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var failures = new List<GuestAgentException>();
        var timing = new OperationTime(session.Clock, call);
        for (var done = 0; done < ids.Count;)
        {
            var rest = ids.Skip(done).ToList();
            var reply = await session.InvokeAsync(
                Request("guest-set-memory-blocks", "mem-blks", "phys-index", rest, online), timing.Rest(), cancellationToken)
                .ConfigureAwait(false);
            var results = reply.Objects().ToList();
            done += Checked(session, "guest-set-memory-blocks", results.Count, rest.Count);
            failures.AddRange(results
                .Zip(rest, (result, id) => (Response: result.Text("response"), Code: result.Number("error-code"), Id: id))
                .Where(block => block.Response != "success")
                .Select(block => ErrorCatalogue.MemoryBlockUnchanged.WithTarget(
                    block.Id, session.Endpoint, block.Id, online ? "online" : "offline",
                    $"{block.Response ?? "no reason given"}{(block.Code is { } code ? $" (errno {code})" : "")}")));
        }

        return failures;
    }

    private static GuestAgentRequest Request(
        string command, string list, string key, IReadOnlyList<ulong> ids, bool online) => new(command, new Hashtable
    {
        [list] = ids.Select(id => new OrderedDictionary { [key] = id, ["online"] = online }),
    });

    private static int CountOf(JsonElement reply) =>
        reply.ValueKind == JsonValueKind.Number && reply.TryGetInt32(out var count) ? count : 0;

    // Without progress there would be no end.
    private static int Checked(GuestAgentSession session, string command, int count, int most) => count > 0 && count <= most
        ? count
        : throw ErrorCatalogue.ReplyUnexpected.With(
            command, session.Endpoint, $"it reports {count} parts, but only {most} were given.");
}
