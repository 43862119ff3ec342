using System.Text;
using System.Text.Json.Nodes;
using QemuGuestAgent.EmbeddedAgent.Guest;
using QemuGuestAgent.EmbeddedAgent.Wire;

namespace QemuGuestAgent.EmbeddedAgent.Commands;

/// <summary>The commands on the guest's users and how they get in.</summary>
internal static class UserCommands
{
    // The password is checked and then forgotten: nobody can log in here.
    public static JsonNode? SetPassword(AgentContext agent, CommandArguments arguments)
    {
        var user = arguments.Text("username");
        var password = LenientBase64.Decode(arguments.Text("password"));
        var isHash = arguments.Flag("crypted");
        arguments.End();
        if (isHash && agent.Options.GuestOS == EmbeddedGuestOS.Windows)
        {
            throw new EmbeddedCommandException("'crypted' must be off on this host");
        }

        if (password.Contains((byte)'\n'))
        {
            throw new EmbeddedCommandException("forbidden characters in raw password");
        }

        if (user.Contains('\n') || user.Contains(':'))
        {
            throw new EmbeddedCommandException("forbidden characters in username");
        }

        return agent.Machine.HomeOf(user) is not null
            ? new JsonObject()
            : throw new EmbeddedCommandException("child process has failed to set user password");
    }

    public static JsonNode? SshKeys(AgentContext agent, CommandArguments arguments)
    {
        var user = arguments.Text("username");
        arguments.End();
        var path = KeysPath(agent, user);
        var lines = ReadLines(agent, path)
            ?? throw new EmbeddedCommandException($"failed to read '{path}': Failed to open file “{path}”: {Errno.NoEntry}");

        // The last line comes first.
        var keys = lines.Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#').Reverse();
        return new JsonObject { ["keys"] = new JsonArray(keys.Select(key => (JsonNode?)key).ToArray()) };
    }

    public static JsonNode? AddSshKeys(AgentContext agent, CommandArguments arguments)
    {
        var user = arguments.Text("username");
        var keys = arguments.Texts("keys");
        var reset = arguments.OptionalFlag("reset") == true;
        arguments.End();
        Check(keys);
        var path = KeysPath(agent, user);
        var lines = reset ? [] : ReadLines(agent, path) ?? [];
        Write(agent, path, lines.Concat(keys.Where(key => !lines.Contains(key))));
        return new JsonObject();
    }

    public static JsonNode? RemoveSshKeys(AgentContext agent, CommandArguments arguments)
    {
        var user = arguments.Text("username");
        var keys = arguments.Texts("keys");
        arguments.End();
        Check(keys);
        var path = KeysPath(agent, user);
        if (ReadLines(agent, path) is { } lines)
        {
            Write(agent, path, lines.Where(line => !keys.Contains(line)));
        }

        return new JsonObject();
    }

    // In Windows all administrators have one file.
    private static string KeysPath(AgentContext agent, string user) => agent.Machine.HomeOf(user) is { } home
        ? agent.Options.GuestOS == EmbeddedGuestOS.Windows ? @"C:\ProgramData\ssh\administrators_authorized_keys" : home + "/.ssh/authorized_keys"
        : throw new EmbeddedCommandException($"failed to lookup user '{user}': Invalid user name");

    private static void Check(IReadOnlyList<string> keys)
    {
        foreach (var key in keys.Where(key => (key.Length > 0 && key[0] == '#') || key.Contains('\n')))
        {
            throw new EmbeddedCommandException($"invalid OpenSSH public key: '{key}'");
        }
    }

    private static string[]? ReadLines(AgentContext agent, string path)
    {
        try
        {
            var file = agent.Machine.Files.Open(path, OpenMode.Parse("r")!.Value);
            return Encoding.UTF8.GetString(file.Read(int.MaxValue)).Split('\n');
        }
        catch (ErrnoException)
        {
            return null;
        }
    }

    private static void Write(AgentContext agent, string path, IEnumerable<string> lines) =>
        agent.Machine.Files.Add(path, string.Join("\n", lines));
}
