using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Schema;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Session;

/// <summary>Turns the agent's errors into those of the catalogue.</summary>
internal sealed class AgentErrorMapper(GuestAgentEndpoint endpoint, GuestAgentInfo? agent)
{
    private const int MaxSuggestions = 3;

    /// <summary>
    /// The error that the agent replied. CommandNotFound is not there, disabled by policy, or refused because frozen: guest-info tells
    /// the first from the others, which the session tells apart. Where policy forbids guest-info too, it counts as disabled if QEMU's
    /// agent has it. The text of the agent decides nothing.
    /// </summary>
    public GuestAgentException Explain(GuestAgentRequest request, Reply reply)
    {
        var (errorClass, description) = reply.Error;
        var command = request.Command;
        if (endpoint.TransportErrors.TryGetValue(errorClass, out var ofTransport))
        {
            // Not the agent's: it may have carried the command out.
            return ofTransport.With(command, endpoint, description);
        }

        var explained = errorClass switch
        {
            "CommandNotFound" when !(agent?.Commands.ContainsKey(command) ?? CommandSchema.Find(command) is not null) =>
                ErrorCatalogue.CommandNotFound.With(command, endpoint, agent?.Version ?? "unknown", Suggest(command)),
            "CommandNotFound" or "CommandDisabled" => ErrorCatalogue.CommandDisabled.With(command, endpoint, OnlyIn(command)),
            _ => ErrorCatalogue.AgentError.With(command, endpoint, description, errorClass),
        };
        explained.AgentErrorClass = errorClass;
        explained.AgentErrorText = description;
        return explained;
    }

    /// <summary>Throws where a reply is the error of what stands before the agent, and says nothing of the agent.</summary>
    public void ThrowIfNotAgents(string command, in Reply reply)
    {
        if (reply.Kind == ReplyKind.Error && endpoint.TransportErrors.ContainsKey(reply.Error.Class))
        {
            throw Explain(new GuestAgentRequest(command), reply);
        }
    }

    private static string OnlyIn(string command) =>
        CommandSchema.Find(command)?.OnlyIn is { } system ? $" Only agents in {system} have it{(system == "Linux" ? ", none in Windows" : "")}." : "";

    private string Suggest(string command)
    {
        if (CommandSchema.Find(command) is { } known)
        {
            return $" QEMU's own agent has it from version {known.Since} on{(known.OnlyIn is null ? ", if the guest supports it" : "")}.{OnlyIn(command)}";
        }

        var part = command.StartsWith("guest-", StringComparison.Ordinal) ? command.Substring("guest-".Length) : command;
        var similar = agent?.Commands.Keys
            .Where(name => part.Length > 2 && name.Contains(part))
            .OrderBy(name => name.Length).Take(MaxSuggestions).Select(name => $"'{name}'").ToList();
        return similar is { Count: > 0 } ? $" Did you mean {string.Join(" or ", similar)}?" : "";
    }
}
