using System.ComponentModel;
#if NET
using System.Diagnostics;
#endif
using System.Security.Cryptography;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints.Ssh;

/// <summary>The system's ssh client.</summary>
internal static class SshClient
{
    private const string Name = "ssh";

    // It ends when its input does, so also when PowerShell is killed. What was written last is passed on before. A killed ssh cannot
    // remove its sockets.
    private const string MasterLauncher =
        """
        trap '' INT
        folder=$1 ssh=$0
        shift
        "$ssh" "$@" </dev/null & master=$!
        exec 3<&0
        { cat <&3; sleep 0.3; kill $master; sleep 2; kill -9 $master; } >/dev/null 2>&1 & watch=$!
        wait $master; code=$?
        kill $watch
        rm -rf "$folder"
        exit $code
        """;

    /// <summary>
    /// Whether ssh may ask the user: at a terminal of this process, not where PowerShell was started to ask nothing. On Windows it would
    /// have to share the console, and be ended by each Ctrl+C there.
    /// </summary>
    public static bool MayAsk { get; } = Path.DirectorySeparatorChar == '/' && !Console.IsInputRedirected
        && !Environment.GetCommandLineArgs().Any(word => word.StartsWith("-noni", StringComparison.OrdinalIgnoreCase));

    /// <summary>Starts ssh for a command of the host.</summary>
    /// <param name="host">The host.</param>
    /// <param name="target">What an error is about.</param>
    /// <param name="command">The command line for the user's shell there.</param>
    /// <param name="control">The socket of a master connection; null for a connection of its own.</param>
    /// <param name="asks">Whether it may ask the user.</param>
    public static ProcessStream Start(SshHost host, object target, string command, string? control, bool asks) =>
        Start(target, ["-o", "ControlMaster=no", "-S", control ?? "none", .. Options(host, asks), .. Address(host), command]);

    /// <summary>Starts a master connection, which ends with this process.</summary>
    /// <param name="host">The host.</param>
    /// <param name="target">What an error is about.</param>
    /// <param name="folder">The folder of its sockets, which is removed after it.</param>
    /// <param name="control">The path of its socket.</param>
    /// <param name="asks">Whether it may ask the user.</param>
    public static ProcessStream StartMaster(SshHost host, object target, string folder, string control, bool asks) => Start(target,
        [folder, "-N", "-o", "ControlMaster=yes", "-o", "ControlPersist=no", "-o", "StreamLocalBindMask=0177", "-S", control, .. Options(host, asks), .. Address(host)],
        MasterLauncher);

#if NET
    /// <summary>Has a master connection forward a socket of this computer to one of the host; whether it has agreed.</summary>
    public static async Task<bool> ForwardAsync(SshHost host, object target, string control, string local, string remote)
    {
        // Without the user's configuration, whose own forwardings would be asked for again.
        string[] arguments = ["-F", "/dev/null", "-S", control, "-O", "forward", "-L", $"{Field(local)}:{Field(remote)}", .. Address(host)];
        using var ssh = Process.Start(ChannelProgram.Start(Program(target), arguments))!;
        await ssh.WaitForExitAsync().ConfigureAwait(false);
        return ssh.ExitCode == 0;
    }
#endif

    /// <summary>The arguments of ssh that are the same for all that is done on a host.</summary>
    /// <param name="host">The host.</param>
    /// <param name="asks">Whether it may ask the user.</param>
    internal static IEnumerable<string> Options(SshHost host, bool asks)
    {
        const string keyFile = "IdentityFile";
        // ssh takes the first value of an option: these are not for the user to choose.
        List<string> arguments =
        [
            "-T", "-x", "-a", "-o", $"BatchMode={(asks ? "no" : "yes")}", "-o", "LogLevel=ERROR", "-o", "ClearAllForwardings=yes",
            "-o", "PermitLocalCommand=no", "-o", "RemoteCommand=none",
        ];
        if (host.Port is { } port)
        {
            arguments.AddRange(["-p", $"{port}"]);
        }

        if (host.UserName is { } user)
        {
            arguments.AddRange(["-l", user]);
        }

        foreach (var option in host.Options)
        {
            // In a path of -i a percent sign begins a variable of ssh; in other options that is as the user wants it.
            arguments.AddRange(option.Key.Equals(keyFile, StringComparison.OrdinalIgnoreCase)
                ? ["-i", option.Value.Replace("%", "%%")]
                : ["-o", $"{option.Key}={option.Value}"]);
        }

        // A connection that has been cut is noticed after a minute.
        arguments.AddRange(["-o", "ServerAliveInterval=20", "-o", "ServerAliveCountMax=3"]);
        return arguments;
    }

    /// <summary>A random word, for what a host says first.</summary>
    public static string RandomWord()
    {
        var bytes = new byte[8];
        using var random = RandomNumberGenerator.Create();
        random.GetBytes(bytes);
        return $"qga-{BitConverter.ToString(bytes).Replace("-", "")}";
    }

    private static string[] Address(SshHost host) => ["--", host.HostName];

    // In a forwarding, a colon ends a path.
    private static string Field(string path) => path.Replace(@"\", @"\\").Replace(":", @"\:");

    private static string Program(object target) =>
        ChannelProgram.Find(Path.DirectorySeparatorChar == '\\' ? $"{Name}.exe" : Name) ?? throw ErrorCatalogue.SshNotInstalled.With(target);

    private static ProcessStream Start(object target, string[] arguments, string? launcher = null)
    {
        try
        {
            return new ProcessStream(Name, ChannelProgram.Start(Program(target), arguments, launcher));
        }
        catch (Win32Exception e)
        {
            throw ErrorCatalogue.SshNotInstalled.Because(e, target);
        }
    }
}
