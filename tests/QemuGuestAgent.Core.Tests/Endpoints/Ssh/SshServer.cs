using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using QemuGuestAgent.Core.Endpoints.Ssh;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Endpoints.Ssh;

/// <summary>A real sshd on this machine, with a port, keys and a configuration of its own. Its users are the one who runs the tests.</summary>
internal sealed class SshServer : IDisposable
{
    private readonly LabFolder _folder = new();
    private readonly string _sshd;
    private Process? _process;

    private SshServer(string sshd) => _sshd = sshd;

    public int Port { get; } = FreePort();

    /// <summary>What sshd has logged.</summary>
    public string Log => File.Exists(Combine("log")) ? File.ReadAllText(Combine("log")) : "";

    /// <summary>The host as a client reaches it.</summary>
    public SshHost Host => new("127.0.0.1", port: Port, options: Options);

    public Dictionary<string, string> Options => new()
    {
        ["IdentityFile"] = Combine("key"),
        ["UserKnownHostsFile"] = Combine("known"),
        ["IdentitiesOnly"] = "yes",
    };

    /// <summary>The processes that sshd has started, and what runs in them.</summary>
    public IEnumerable<string> Sessions => _process is null or { HasExited: true } ? [] : Descendants(_process.Id);

    public string Combine(string name) => _folder.Combine(name);

    /// <summary>Starts one; skips the test where there is none.</summary>
    /// <param name="lines">Further lines of its configuration.</param>
    public static SshServer Start(params string[] lines)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "sshd is run on Linux only.");
        string[] folders = ["/usr/sbin", "/usr/local/sbin", .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')];
        var sshd = folders.Select(folder => Path.Combine(folder, "sshd")).FirstOrDefault(File.Exists);
        Assert.SkipWhen(sshd is null, "sshd is not installed: apt-get install openssh-server");
        InstalledProgram.OrSkip("ssh-keygen");
        var server = new SshServer(sshd);
        server.Configure(lines);
        server.Start();
        return server;
    }

    /// <summary>Makes a key pair, and returns the public key.</summary>
    public string MakeKey(string name)
    {
        Run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", Combine(name));
        return string.Join(' ', File.ReadAllText(Combine($"{name}.pub")).Split(' ').Take(2));
    }

    /// <summary>Starts it, after a stop.</summary>
    public void Start()
    {
        if (Environment.IsPrivilegedProcess)
        {
            Directory.CreateDirectory("/run/sshd");
        }

        _process = Process.Start(_sshd, ["-D", "-f", Combine("config"), "-E", Combine("log")]);
        while (!Accepts())
        {
            Assert.False(_process.HasExited, Log);
            Thread.Sleep(5);
        }
    }

    /// <summary>Stops it with all of its connections, as a host that goes down.</summary>
    public void Stop()
    {
        if (_process is { HasExited: false })
        {
            var all = Children(_process.Id).SelectMany(Tree).ToList();
            _process.Kill();
            _process.WaitForExit();
            all.ForEach(Kill);
        }

        _process?.Dispose();
        _process = null;
    }

    public void Dispose()
    {
        TestContext.Current.TestOutputHelper?.WriteLine(Log);
        Stop();
        _folder.Dispose();
    }

    // Its keys are known by whom they belong to, not by the mode of a folder of the tests.
    private void Configure(string[] lines)
    {
        File.WriteAllText(Combine("authorized"), MakeKey("key") + "\n");
        File.WriteAllText(Combine("known"), $"[127.0.0.1]:{Port} {MakeKey("host")}\n");
        File.WriteAllLines(Combine("config"),
        [
            $"Port {Port}", "ListenAddress 127.0.0.1", $"HostKey {Combine("host")}", $"AuthorizedKeysFile {Combine("authorized")}",
            $"PidFile {Combine("pid")}", "StrictModes no", "UsePAM no", "PasswordAuthentication no", "PermitRootLogin yes", "LogLevel VERBOSE",
            // No profile of the user is run, whatever it does.
            $"SetEnv HOME={_folder.FullPath}", .. lines,
        ]);
    }

    private bool Accepts()
    {
        using var client = new TcpClient();
        try
        {
            client.Connect(IPAddress.Loopback, Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private static IEnumerable<int> Tree(int id) => Children(id).SelectMany(Tree).Prepend(id);

    private static IEnumerable<string> Descendants(int id) => [.. Children(id).SelectMany(Tree).Select(CommandLine).Where(line => line.Length > 0)];

    private static List<int> Children(int parent) => [.. Directory.EnumerateDirectories("/proc")
        .Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
        .Where(id => id > 0 && ParentOf(id) == parent)];

    private static int ParentOf(int id) =>
        Read($"/proc/{id}/stat") is { Length: > 0 } stat ? int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture) : 0;

    private static string CommandLine(int id) => Read($"/proc/{id}/cmdline").Replace('\0', ' ').Trim();

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static void Kill(int id)
    {
        try
        {
            AgentProcess.Send(id, Signal.Kill);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // It has ended with its connection.
        }
    }
}
