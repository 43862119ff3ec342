using System.Diagnostics;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Contract;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Vm;

/// <summary>
/// A virtual machine whose agent is behind a virtio-serial port, as on any host. It is emulated: no test depends on what the machine
/// that runs it can virtualise. Its disk forgets what was written to it.
/// </summary>
internal sealed class VirtualMachine(VmImage image, string agentOptions = "") : IAsyncDisposable
{
    private static readonly CallOptions Boot = new() { Timeout = TimeSpan.FromSeconds(120) };

    private readonly LabFolder _folder = new();
    private Process? _qemu;

    public GuestAgentEndpoint Endpoint => new UnixEndpoint(AgentSocket);

    /// <summary>The path of the socket that is the agent's channel.</summary>
    public string AgentSocket => _folder.Combine("agent");

    public bool IsPoweredOn => _qemu is { HasExited: false };

    private string ConsoleSocket => _folder.Combine("console");

    private string Log => _folder.Combine("log");

    private string ConsoleLog => _folder.Combine("console.log");

    /// <summary>Switches it on. Its channel is there when this returns; the guest will take a while.</summary>
    public async Task PowerOnAsync()
    {
        // The shell keeps QEMU's output out of the test runner's, and becomes QEMU.
        _qemu = Process.Start(new ProcessStartInfo("/bin/sh")
        {
            ArgumentList =
            {
                "-c", """exec "$0" "$@" </dev/null >"$QEMU_LOG" 2>&1""",
                "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-accel", "tcg", "-m", "256",
                "-kernel", image.Kernel, "-initrd", image.Initrd,
                "-append", $"console=ttyS0 quiet panic=-1 no_timer_check AGENT_OPTIONS={agentOptions}",
                "-drive", $"if=virtio,format=raw,snapshot=on,file={image.Disk}",
                "-device", "virtio-serial",
                "-chardev", $"socket,id=agent,path={AgentSocket},server=on,wait=off",
                "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
                "-chardev", $"socket,id=console,path={ConsoleSocket},server=on,wait=off,logfile={ConsoleLog}",
                "-serial", "chardev:console",
            },
            Environment = { ["QEMU_LOG"] = Log },
        })!;

        // The last of its sockets.
        await Poll.UntilAsync(() => File.Exists(ConsoleSocket) || _qemu.HasExited, "QEMU's sockets");
        Assert.False(_qemu.HasExited, $"QEMU has exited: {File.ReadAllText(Log)}");
    }

    /// <summary>Switches it on, and connects once its agent is there.</summary>
    public async Task<GuestAgentSession> BootAsync()
    {
        await PowerOnAsync();
        return await ConnectAsync();
    }

    /// <summary>Connects; the guest may still boot.</summary>
    public Task<GuestAgentSession> ConnectAsync(GuestAgentSessionOptions? options = null) =>
        GuestAgentSession.ConnectAsync(Endpoint, options, Boot, TestContext.Current.CancellationToken);

    /// <summary>Connects a client that writes and reads bytes as they are.</summary>
    public Task<RawClient> ConnectRawAsync() => ConnectRawAsync(AgentSocket);

    /// <summary>Runs a command line in the guest without its agent, by its console; returns what that wrote, one line.</summary>
    public async Task<string> RunOnConsoleAsync(string commandLine)
    {
        var mark = $"{Guid.NewGuid()}: ";
        await using var console = await ConnectRawAsync(ConsoleSocket);
        await console.SendAsync($"echo \"{mark}$({commandLine})\"\n");
        string line;
        do
        {
            line = await console.ReadLineAsync();
        }
        while (!line.StartsWith(mark, StringComparison.Ordinal));

        return line[mark.Length..].TrimEnd('\r');
    }

    /// <summary>Kills its agent, whatever that is at; another one follows.</summary>
    // Until it is gone the channel is its own, and what is sent dies with it.
    public Task KillAgentAsync() =>
        RunOnConsoleAsync("pid=$(pidof qemu-ga); kill -9 $pid; while [ -e /proc/$pid ]; do usleep 1000; done");

    /// <summary>Waits until it has switched itself off.</summary>
    public async Task PowerOffAsync()
    {
        await Poll.UntilAsync(() => _qemu!.HasExited, "the machine to switch itself off");
        Assert.Equal(0, _qemu!.ExitCode);
    }

    public async ValueTask DisposeAsync()
    {
        if (_qemu is not null)
        {
            _qemu.Kill();
            await _qemu.WaitForExitAsync(CancellationToken.None);
            _qemu.Dispose();
            TestContext.Current.TestOutputHelper?.WriteLine(File.ReadAllText(Log) + File.ReadAllText(ConsoleLog));
        }

        _folder.Dispose();
    }

    private static async Task<RawClient> ConnectRawAsync(string socket) =>
        new(await new UnixEndpoint(socket).OpenAsync(TestContext.Current.CancellationToken));
}
