using System.Collections;
using System.Collections.Specialized;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Commands;

/// <summary>The commands for a guest's users, their passwords and keys.</summary>
public static class UserCommands
{
    /// <summary>Sets the password of a user (guest-set-user-password).</summary>
    /// <param name="session">The session.</param>
    /// <param name="userName">The user.</param>
    /// <param name="password">The password, or its hash.</param>
    /// <param name="call">Time limit and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation; the session stays usable.</param>
    /// <exception cref="GuestAgentException">As InvokeAsync.</exception>
    public static Task SetUserPasswordAsync(
        this GuestAgentSession session, string userName, GuestPassword password,
        CallOptions? call = null, CancellationToken cancellationToken = default) =>
        session.InvokeAsync(
            new GuestAgentRequest("guest-set-user-password", json =>
            {
                json.WriteStartObject();
                json.WriteString("username", ArgumentWriter.Checked(userName, "username"));
                password.Write(json);
                json.WriteEndObject();
            }),
            call, cancellationToken);

    /// <summary>Gets the public keys of a user for ssh (guest-ssh-get-authorized-keys): none where the user has no file of keys.</summary>
    /// <inheritdoc cref="SetUserPasswordAsync"/>
    public static async Task<IReadOnlyList<GuestSshKey>> GetSshKeysAsync(
        this GuestAgentSession session, string userName, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        try
        {
            var reply = await session.InvokeAsync(
                new GuestAgentRequest("guest-ssh-get-authorized-keys", new Hashtable { ["username"] = userName }),
                call, cancellationToken).ConfigureAwait(false);
            return [.. reply.Texts("keys").Select(key => new GuestSshKey(userName, key))];
        }
        catch (GuestAgentException e) when (LacksKeyFile(e.AgentErrorText))
        {
            return [];
        }
    }

    /// <summary>Adds public keys of a user for ssh (guest-ssh-add-authorized-keys).</summary>
    /// <param name="session">The session.</param>
    /// <param name="userName">The user.</param>
    /// <param name="keys">The keys, each a line of authorized_keys.</param>
    /// <param name="reset">Whether all other keys are removed.</param>
    /// <param name="call">Time limit and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation; the session stays usable.</param>
    /// <exception cref="GuestAgentException">As InvokeAsync.</exception>
    public static async Task AddSshKeysAsync(
        this GuestAgentSession session, string userName, IReadOnlyCollection<string> keys, bool reset = false,
        CallOptions? call = null, CancellationToken cancellationToken = default) =>
        await session.InvokeAsync(
            new GuestAgentRequest("guest-ssh-add-authorized-keys", reset
                ? new OrderedDictionary { ["username"] = userName, ["keys"] = keys, ["reset"] = true }
                : new OrderedDictionary { ["username"] = userName, ["keys"] = keys }),
            call, cancellationToken).ConfigureAwait(false);

    /// <summary>Removes public keys of a user for ssh (guest-ssh-remove-authorized-keys).</summary>
    /// <inheritdoc cref="AddSshKeysAsync"/>
    public static async Task RemoveSshKeysAsync(
        this GuestAgentSession session, string userName, IReadOnlyCollection<string> keys,
        CallOptions? call = null, CancellationToken cancellationToken = default) =>
        await session.InvokeAsync(
            new GuestAgentRequest(
                "guest-ssh-remove-authorized-keys", new OrderedDictionary { ["username"] = userName, ["keys"] = keys }),
            call, cancellationToken).ConfigureAwait(false);

    // Only the agent's text (QEMU qga/commands-common-ssh.c) tells this from a user that does not exist, or a file that it may not read.
    private static bool LacksKeyFile(string? text) =>
        text?.StartsWith("failed to read '", StringComparison.Ordinal) == true
        && text.EndsWith(": No such file or directory", StringComparison.Ordinal);
}
