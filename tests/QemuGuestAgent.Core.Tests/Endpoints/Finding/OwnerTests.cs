using System.Diagnostics;
using System.Globalization;
using QemuGuestAgent.Core.Endpoints.Finding;
using QemuGuestAgent.Core.Tests.Errors;
using static QemuGuestAgent.Core.Tests.Endpoints.Finding.FakeHost;

namespace QemuGuestAgent.Core.Tests.Endpoints.Finding;

/// <summary>Who has a channel in hand: whoever that is sees what is sent there.</summary>
public sealed class OwnerTests : IDisposable
{
    private const string Other = "65534";
    private const string OtherName = "nobody";
    private const string Socket = "/run/vm/web1.sock";

    private readonly FakeHost _host = new();

    public OwnerTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The hosts are those of Linux.");
        _host.Write("/etc/passwd", "root:x:0:0::/root:/bin/sh\nbroken\nlibvirt-qemu:x:64055:108::/:/bin/sh\nqemu:x:107:107::/:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n\nnobody:x:65534:65534::/:/bin/sh\n");
    }

    public void Dispose() => _host.Dispose();

    [Theory]
    [InlineData("0", "root", true)]
    [InlineData("64055", "libvirt-qemu", true)]
    [InlineData("107", "qemu", true)]
    [InlineData("1000", "alice", false)]
    [InlineData("1234", "1234", false)]
    // What is setuid or setgid anybody starts, with any words.
    [InlineData("1000\t0\t0\t0", "alice", false)]
    [InlineData("0\t0\t1000\t0", "alice", false)]
    public void A_process_is_in_the_hands_of_its_user(string users, string owner, bool isTrusted)
    {
        _host.StartOf(users, 4711, "qemu-system-x86_64", "-chardev", "socket,id=qga0,port=4444,server=on", "-device", AgentDevice);
        Is(owner, isTrusted, Assert.Single(_host.Find()));
    }

    [Theory]
    [InlineData("user = \"alice\"")]
    [InlineData("\t user='+1000'")]
    public void A_hypervisor_runs_as_the_user_that_it_is_set_to(string setting)
    {
        _host.Write("/etc/libvirt/qemu.conf", $"# user = \"nobody\"\n{setting}\n");
        foreach (var user in (string[])["1000", Other])
        {
            _host.StartOf(user, int.Parse(user, CultureInfo.InvariantCulture), "qemu-kvm", "-chardev", $"socket,id=qga0,port={user},server=on", "-device", AgentDevice);
        }

        Assert.Equal([("alice", true), (OtherName, false)], _host.Find().Select(channel => (channel.Owner, channel.IsTrusted)));
    }

    [Fact]
    public void A_process_that_has_ended_has_nothing()
    {
        _host.Write("/proc/4711/cmdline", string.Join('\0', "qemu-kvm", "-chardev", "socket,id=qga0,port=4444,server=on", "-device", AgentDevice, ""));
        Assert.Empty(_host.Find());
    }

    [Theory]
    [InlineData("mkdir -p run/vm; touch run/vm/web1.sock", null)]
    [InlineData("mkdir -p run/vm; touch run/vm/web1.sock; chown nobody run/vm/web1.sock", OtherName)]
    [InlineData("mkdir -p run/vm; touch run/vm/web1.sock; chown nobody run/vm", OtherName)]
    [InlineData("mkdir -p run/vm; touch run/vm/web1.sock; chown nobody run", OtherName)]
    [InlineData("mkdir -p run/vm; touch run/vm/web1.sock; chmod 777 run/vm", "anyone")]
    [InlineData("mkdir -p run/vm; touch run/vm/web1.sock; chmod 1777 run/vm", null)]
    [InlineData("mkdir -p run/vm; chmod 1777 run/vm", "anyone")]
    [InlineData("mkdir -p run/vm", null)]
    [InlineData("mkdir run; chmod 1777 run", "anyone")]
    [InlineData("mkdir -p run real; touch real/web1.sock; ln -s ../real run/vm", null)]
    [InlineData("mkdir -p run real; touch real/web1.sock; ln -s /real run/vm; chown nobody real", OtherName)]
    [InlineData("mkdir -p run real; touch real/web1.sock; ln -s /real run/vm; chown -h nobody run/vm", OtherName)]
    [InlineData("mkdir -p run/vm; ln -s ../../tmp/web1 run/vm/web1.sock; mkdir -m 1777 tmp; touch tmp/web1; chown nobody tmp/web1", OtherName)]
    [InlineData("mkdir -p run/vm; ln -s web1.sock run/vm/web1.sock", "anyone")]
    public async Task A_socket_is_in_the_hands_of_whoever_can_put_another_in_its_place(string script, string? owner)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can give files to another user.");
        using (var shell = Process.Start(new ProcessStartInfo("sh", ["-ec", script]) { WorkingDirectory = _host.Root })!)
        {
            await shell.WaitForExitAsync(CancellationToken.None);
            Assert.Equal(0, shell.ExitCode);
        }

        foreach (var (id, chardev) in (IEnumerable<(int, string)>)[(1, $"socket,id=qga0,path={Socket},server=on"), (2, $"pty,id=qga0,path={Socket}")])
        {
            _host.Start(id, "qemu-kvm", "-chardev", chardev, "-device", AgentDevice);
        }

        Assert.Equal(2, _host.Find().Count);
        Assert.All(_host.Find(), channel => Is(owner ?? "root", owner is null, channel));
    }

    [Fact]
    public void Nobody_hides_a_channel_by_a_process_that_claims_it()
    {
        _host.StartOf(Other, 1, "qemu-kvm", "-name", "false", "-chardev", $"socket,id=qga0,path={Socket},server=on", "-device", AgentDevice);
        _host.Start(2, "qemu-kvm", "-name", "true", "-chardev", $"socket,id=qga0,path={Socket},server=on", "-device", AgentDevice);
        Assert.Equal(("true", true), Assert.Single(_host.Find()) is var found ? (found.Name, found.IsTrusted) : default);
    }

    [Fact]
    public async Task A_libvirt_of_another_user_is_not_asked()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can give files to another user.");
        _host.Write("/run/user/1000/libvirt/libvirt-sock");
        using (var chown = Process.Start("chown", [Other, Path.Combine(_host.Root, "run/user/1000")]))
        {
            await chown.WaitForExitAsync(CancellationToken.None);
        }

        Assert.Empty(_host.Find());
        Assert.Empty(_host.Libvirt.Connects);
        Assert.Contains("(qemu:///session) are not listed: its socket in '/run/user/1000/libvirt' is controlled by nobody.", Assert.Single(_host.Told), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_another_user_of_this_host_runs_and_listens_on_says_so()
    {
        var name = $"vm-{Guid.NewGuid():N}";
        using var planted = Nobody.Start(
            "exec -a qemu-system-x86_64 bash -c 'echo; read' x \"$@\"", "x", "-name", name,
            "-chardev", $"socket,id=qga0,path=/tmp/{name}.sock,server=on", "-device", AgentDevice);
        try
        {
            await planted.StandardOutput.ReadLineAsync(CancellationToken.None).AsTask().OrHang();
            Is(OtherName, false, Assert.Single(new ChannelFinder().Find(), channel => channel.Name == name));
        }
        finally
        {
            planted.Kill();
            await planted.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static void Is(string owner, bool isTrusted, FoundChannel channel) =>
        Assert.Equal((owner, isTrusted), (channel.Owner, channel.IsTrusted));
}
