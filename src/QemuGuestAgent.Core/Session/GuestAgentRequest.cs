using System.Collections;
using System.Text.Json;
using System.Text.RegularExpressions;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Schema;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Session;

/// <summary>Reads the value of a reply, on whose first token <paramref name="reader"/> stands, up to its last.</summary>
/// <typeparam name="T">What is made of it.</typeparam>
public delegate T ReplyParser<out T>(ref Utf8JsonReader reader);

/// <summary>A command for the agent.</summary>
public sealed class GuestAgentRequest
{
    private static readonly Regex ValidName = new("^[A-Za-z0-9_.-]{1,128}\\z", RegexOptions.CultureInvariant);

    /// <summary>Makes a request.</summary>
    /// <param name="command">The command's name, such as <c>guest-ping</c>.</param>
    /// <param name="writeArguments">
    /// Writes the object of arguments, or null for none. Strings must be valid UTF-16; <see cref="ArgumentWriter"/> checks that.
    /// </param>
    /// <exception cref="GuestAgentException">CommandNameInvalid.</exception>
    public GuestAgentRequest(string command, Action<Utf8JsonWriter>? writeArguments = null)
    {
        if (!ValidName.IsMatch(command))
        {
            throw ErrorCatalogue.CommandNameInvalid.With(command);
        }

        Command = command;
        WriteArguments = writeArguments;
        LeavesFrozen = CommandSchema.LeavesFrozen(command);
    }

    // Arguments that are neither secret nor large.
    internal GuestAgentRequest(string command, IDictionary? arguments)
        : this(command, ArgumentWriter.Prepare(command, arguments))
    {
    }

    /// <summary>The command's name.</summary>
    public string Command { get; }

    /// <summary>
    /// Whether the reply is wanted even when it comes after the caller gave up: set it where a reply can be had only once, as that of
    /// guest-exec-status, which forgets the output that it delivers.
    /// </summary>
    public bool KeepsLateReply { get; init; }

    /// <summary>
    /// The reply that came after the caller had cancelled, once it has arrived. It is found by a later call of the session, so synchronise
    /// before looking; only an agent that echoes request ids lets it be told from others. For a command whose success is no reply it is
    /// a late error, or that of the ping behind it, also where that comes in time.
    /// </summary>
    public LateReply? LateReply { get; internal set; }

    internal Action<Utf8JsonWriter>? WriteArguments { get; }

    /// <inheritdoc cref="CommandSchema.LeavesFrozen"/>
    internal bool? LeavesFrozen { get; }
}

/// <summary>A reply that came after its caller had cancelled.</summary>
/// <param name="Result">The result, where the command succeeded.</param>
/// <param name="Error">The error, where it failed.</param>
public sealed record LateReply(JsonElement Result, GuestAgentException? Error);
