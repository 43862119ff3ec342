using System.Diagnostics;
using System.Net.Sockets;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Benchmarks;

/// <summary>A qemu-ga that listens on a socket of its own, until it is disposed.</summary>
internal sealed class RealAgent : IDisposable
{
    // It acts on this machine.
    private const string Blocked =
        "guest-shutdown,guest-suspend-disk,guest-suspend-ram,guest-suspend-hybrid,guest-set-time,guest-set-user-password,"
        + "guest-fsfreeze-freeze,guest-fsfreeze-freeze-list,guest-fsfreeze-thaw,guest-fstrim,guest-set-vcpus,"
        + "guest-set-memory-blocks,guest-ssh-add-authorized-keys,guest-ssh-remove-authorized-keys";

    private static readonly TimeSpan Start = TimeSpan.FromSeconds(10);

    private readonly Process _process;
    private readonly Pty? _pty;
    private readonly OneClientRelay? _relay;

    /// <summary>Starts it.</summary>
    /// <param name="isRelayed">Whether it listens on a serial port, and a relay on the socket, as QEMU is one.</param>
    public RealAgent(bool isRelayed = false)
    {
        Folder = Directory.CreateTempSubdirectory("qga-bench-").FullName;
        SocketPath = Path.Combine(Folder, "agent.sock");
        if (isRelayed)
        {
            _pty = new Pty();
            _relay = new OneClientRelay(new UnixDomainSocketEndPoint(SocketPath), _pty);
        }

        string[] channel = isRelayed ? ["-m", "virtio-serial", "-p", _pty!.SlavePath] : ["-m", "unix-listen", "-p", SocketPath];
        _process = Process.Start(new ProcessStartInfo(Program, [.. channel, "-t", Folder, $"--block-rpcs={Blocked}"])
        {
            RedirectStandardError = true,
        })!;
        var begin = Stopwatch.StartNew();
        while (!File.Exists(SocketPath))
        {
            if (_process.HasExited || begin.Elapsed > Start)
            {
                throw new InvalidOperationException($"{Program} does not listen: {_process.StandardError.ReadToEnd()}");
            }

            Thread.Sleep(5);
        }
    }

    /// <summary>The agent's program: what QEMU_GA names, else that of this machine.</summary>
    public static string Program { get; } = Environment.GetEnvironmentVariable("QEMU_GA") ?? "/usr/sbin/qemu-ga";

    /// <summary>A folder for this agent only.</summary>
    public string Folder { get; }

    /// <summary>Where it listens.</summary>
    public string SocketPath { get; }

    /// <summary>Where it listens.</summary>
    public UnixEndpoint Endpoint => new(SocketPath);

    /// <summary>A blocking socket that is connected to it.</summary>
    public Socket Connect()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(SocketPath));
        return socket;
    }

    public void Dispose()
    {
        _relay?.Dispose();
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _pty?.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
