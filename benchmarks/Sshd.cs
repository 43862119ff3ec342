using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Endpoints.Ssh;

namespace QemuGuestAgent.Benchmarks;

/// <summary>An sshd for this run only, with keys of its own and its defaults.</summary>
internal sealed class Sshd : IDisposable
{
    public const string Program = "/usr/sbin/sshd";

    private readonly string _folder = Directory.CreateTempSubdirectory("qga-bench-").FullName;
    private readonly int _port = FreePort();
    private readonly Process _process;

    public Sshd(params string[] lines)
    {
        Directory.CreateDirectory("/run/sshd");
        foreach (var key in (string[])["host", "key"])
        {
            Process.Start("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", In(key)]).WaitForExit();
        }

        File.WriteAllText(In("known"), $"[127.0.0.1]:{_port} {string.Join(' ', File.ReadAllText(In("host.pub")).Split(' ').Take(2))}\n");
        File.WriteAllLines(In("config"),
        [
            $"Port {_port}", "ListenAddress 127.0.0.1", $"HostKey {In("host")}", $"AuthorizedKeysFile {In("key.pub")}", "StrictModes no",
            "UsePAM no", "PermitRootLogin yes", "PidFile none", .. lines,
        ]);
        _process = Process.Start(Program, ["-D", "-f", In("config"), "-E", In("log")]);
        while (!Listens())
        {
            Thread.Sleep(5);
        }
    }

    public int Id => _process.Id;

    public SshHost Host() => new("127.0.0.1", port: _port, options: new Dictionary<string, string>
    {
        ["IdentityFile"] = In("key"),
        ["UserKnownHostsFile"] = In("known"),
        ["IdentitiesOnly"] = "yes",
    });

    // What was there before ssh://.
    public ExecEndpoint WithSocat(string path) => new(
        "ssh", "-T", "-p", $"{_port}", "-i", In("key"), "-o", $"UserKnownHostsFile={In("known")}", "-o", "IdentitiesOnly=yes",
        "127.0.0.1", $"socat - UNIX-CONNECT:{path}");

    /// <summary>A shell's words that run a command there.</summary>
    public string Line(string command, string option = "-T") =>
        $"ssh {option} -p {_port} -i {In("key")} -o UserKnownHostsFile={In("known")} -o IdentitiesOnly=yes 127.0.0.1 \"{command}\"";

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string In(string name) => Path.Combine(_folder, name);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private bool Listens()
    {
        using var client = new TcpClient();
        try
        {
            client.Connect(IPAddress.Loopback, _port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
