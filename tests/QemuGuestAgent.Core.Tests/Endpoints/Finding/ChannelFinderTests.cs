using System.Diagnostics;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Endpoints.Finding;
using QemuGuestAgent.Core.Endpoints.Libvirt;
using QemuGuestAgent.Core.Tests.Errors;
using static QemuGuestAgent.Core.Tests.Endpoints.Finding.FakeHost;

namespace QemuGuestAgent.Core.Tests.Endpoints.Finding;

/// <summary>What a host has, told by its files: the host is a folder.</summary>
public sealed class ChannelFinderTests : IDisposable
{
    private readonly FakeHost _host = new();

    public ChannelFinderTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "The hosts are those of Linux.");

    public void Dispose() => _host.Dispose();

    [Fact]
    public void A_host_with_nothing_has_none()
    {
        Assert.Empty(_host.Find());
        Assert.Empty(_host.Told);
        Assert.Empty(_host.Libvirt.Connects);
    }

    [Fact]
    public void Proxmox_has_a_socket_for_each_and_the_name_in_its_configuration()
    {
        _host.Write("/var/run/qemu-server/1000.qga");
        _host.Write("/var/run/qemu-server/101.qga");
        _host.Write("/var/run/qemu-server/101.pid", "4711\n");
        _host.Write("/var/run/qemu-server/101.qmp");
        _host.Write("/etc/pve/qemu-server/101.conf", "agent: 1\ncores: 2\nname: web1\n\n[snapshot]\nname: former\n");
        _host.Write("/etc/pve/qemu-server/1000.conf", "agent: 1\n\n[snapshot]\nname: former\n");
        _host.Write("/proc/net/unix", Listing("/var/run/qemu-server/101.qga", "00010000 0001 01") + Listing("/var/run/qemu-server/101.qga", "00000000 0001 03"));
        Same.As(
            new[]
            {
                Own("web1", "unix:/var/run/qemu-server/101.qga", "Proxmox", FoundChannelState.InUse, 4711),
                Own("1000", "unix:/var/run/qemu-server/1000.qga", "Proxmox", FoundChannelState.Closed, null),
            },
            _host.Find());
    }

    [Theory]
    [InlineData("socket,path=/run/web1.sock,server=on,wait=off,id=qga0", "unix:/run/web1.sock")]
    [InlineData("socket,id=qga0,path=/run/web1.sock,server,nowait", "unix:/run/web1.sock")]
    [InlineData("backend=socket,id=qga0,path=/run/a,,b.sock,server=yes", "unix:/run/a,b.sock")]
    [InlineData("socket,id=qga0,path=web1.sock,server=on", "unix:/home/vm/web1.sock")]
    [InlineData("socket,id=qga0,path=web1,abstract=on,server=on", "unix:@web1")]
    [InlineData("socket,id=qga0,host=192.0.2.1,port=4444,server=on", "tcp://192.0.2.1:4444")]
    [InlineData("socket,id=qga0,host=0.0.0.0,port=4444,server=on", "tcp://127.0.0.1:4444")]
    [InlineData("socket,id=qga0,port=4444,server=on", "tcp://127.0.0.1:4444")]
    [InlineData("pty,id=qga0,path=/run/web1.pty", "serial:/run/web1.pty")]
    [InlineData("""{"id":"qga0","backend":{"type":"socket","data":{"addr":{"type":"unix","data":{"path":"/run/w.sock"}},"wait":false,"server":true}}}""", "unix:/run/w.sock")]
    public void A_running_QEMU_has_it_on_its_command_line(string chardev, string endpoint)
    {
        _host.Start(4711, "/usr/bin/qemu-system-x86_64", "-name", "guest=web1,debug-threads=on", "-chardev", chardev, "-device", AgentDevice);
        Same.As(new[] { Own("web1", endpoint, "QEMU", FoundChannelState.Unknown, 4711) }, _host.Find());
    }

    [Theory]
    [InlineData("socket,id=qga0,fd=28,server=on,wait=off")]
    [InlineData("socket,id=qga0,path=/run/peer.sock")]
    [InlineData("socket,id=other,path=/run/web1.sock,server=on")]
    [InlineData("socket,path=/run/web1.sock,server=on")]
    [InlineData("spiceport,id=qga0,name=org.qemu.guest_agent.0")]
    [InlineData("pty,id=qga0")]
    [InlineData("stdio,id=qga0")]
    [InlineData("{\"id\":")]
    [InlineData("")]
    public void What_nobody_else_can_reach_is_not_listed(string chardev)
    {
        _host.Start(4711, "qemu-kvm", "-chardev", chardev, "-device", AgentDevice, "-device");
        Assert.Empty(_host.Find());
    }

    [Fact]
    public void Neither_a_monitor_nor_another_channel_nor_what_starts_a_QEMU_is_taken_for_one()
    {
        string[] words =
        [
            "-chardev", "socket,id=mon,path=/run/mon.sock,server=on", "-mon", "chardev=mon,mode=control", "-qmp", "unix:/run/qmp.sock,server=on",
            "-chardev", "socket,id=vdagent,path=/run/spice.sock,server=on", "-device", "virtserialport,chardev=vdagent,name=com.redhat.spice.0",
            "-device", "isa-serial,chardev=mon",
        ];
        _host.Start(1, "/usr/bin/kvm", words);
        _host.Start(2, "/usr/bin/sudo", ["qemu-system-x86_64", "-chardev", "socket,id=qga0,path=/run/a,server=on", "-device", AgentDevice]);
        Assert.Empty(_host.Find());
    }

    [Fact]
    public void One_without_a_name_is_named_after_its_socket_and_JSON_is_read_too()
    {
        _host.Start(
            4711, "qemu-kvm", "-chardev", "socket,id=qga0,path=/run/db1.sock,server=on",
            "-device", """{"driver":"virtserialport","nr":1,"chardev":"qga0","name":"org.qemu.guest_agent.0"}""");
        _host.Write("/proc/net/unix", Listing("/run/db1.sock", "00010000 0001 01"));
        Same.As(new[] { Own("db1", "unix:/run/db1.sock", "QEMU", FoundChannelState.Free, 4711) }, _host.Find());
    }

    [Fact]
    public void A_QEMU_in_a_container_is_reached_through_its_process()
    {
        _host.Start(4711, "qemu-system-x86_64", "-name", "web1", "-chardev", "socket,id=qga0,path=/run/qga.sock,server=on", "-device", AgentDevice);
        _host.Link("/proc/4711/ns/mnt", "mnt:[2]");
        Assert.Equal("unix:/proc/4711/root/run/qga.sock", _host.Find().Single().Endpoint);
    }

    [Fact]
    public void Of_another_user_s_QEMU_the_path_is_taken_as_it_stands_and_a_relative_one_is_told()
    {
        // Neither its working folder nor its name spaces can be looked at.
        _host.Start(4711, "qemu-kvm", "-name", "web1", "-chardev", "socket,id=qga0,path=/run/web1.sock,server=on", "-device", AgentDevice);
        _host.Start(4712, "qemu-kvm", "-name", "db1", "-chardev", "socket,id=qga0,path=db1.sock,server=on", "-device", AgentDevice);
        File.Delete(Path.Combine(_host.Root, "proc/4712/cwd"));
        _host.Link("/proc/self/ns/mnt", "mnt:[1]");
        Assert.Equal("unix:/run/web1.sock", Assert.Single(_host.Find()).Endpoint);
        Assert.Contains("'db1.sock' is relative to a folder that this account cannot read", Assert.Single(_host.Told), StringComparison.Ordinal);
    }

    [Fact]
    public void A_channel_whose_path_is_too_long_is_told()
    {
        _host.Start(4711, "qemu-kvm", "-chardev", $"socket,id=qga0,path=/{new string('x', 200)},server=on", "-device", AgentDevice);
        Assert.Empty(_host.Find());
        Assert.Contains("4711", Assert.Single(_host.Told), StringComparison.Ordinal);
    }

    [Fact]
    public void One_that_several_tell_of_is_listed_once()
    {
        _host.Write("/run/qemu-server/101.qga");
        _host.Link("/var/run", Path.Combine(_host.Root, "run"));
        _host.Start(4711, "/usr/bin/kvm", "-name", "web1", "-chardev", "socket,id=qga0,path=/var/run/qemu-server/101.qga,server=on", "-device", AgentDevice);
        Assert.Equal("Proxmox", _host.Find().Single().Source);
    }

    [Fact]
    public void Domains_of_libvirt_are_asked_for_where_it_runs_and_hold_their_sockets()
    {
        _host.Write("/run/libvirt/virtqemud-sock");
        _host.Write("/run/user/1000/libvirt/libvirt-sock");
        _host.Write("/run/libvirt/qemu/web 1.pid", "4711");
        _host.Write("/run/libvirt/qemu/channel/web.0");
        _host.Start(4711, "qemu-kvm", "-chardev", "socket,id=qga0,path=/run/libvirt/qemu/channel/web.0,server=on", "-device", AgentDevice);
        _host.Libvirt.Descriptions =
        [
            Domain("web 1", "<channel type='unix'><source mode='bind' path='/run/libvirt/qemu/channel/web.0'/><target type='virtio' name='org.qemu.guest_agent.0' state='connected'/></channel>"),
            Domain("db1", "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0' state='disconnected'/></channel>"),
            Domain("none", "<channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>"),
        ];
        Same.As(
            new[]
            {
                Own("web 1", "libvirt+qemu:///system?domain=web%201", "libvirt", FoundChannelState.AgentPresent, 4711),
                Own("db1", "libvirt+qemu:///system?domain=db1", "libvirt", FoundChannelState.AgentAbsent, null),
                Own("web 1", "libvirt+qemu:///session?domain=web%201", "libvirt", FoundChannelState.AgentPresent, null),
                Own("db1", "libvirt+qemu:///session?domain=db1", "libvirt", FoundChannelState.AgentAbsent, null),
            },
            _host.Find());
        
        // A user's own daemon has no socket for readers only (libvirt 9.0).
        Assert.Equal([("qemu:///system", true), ("qemu:///session", false)], _host.Libvirt.Connects);
        Assert.Equal(0, _host.Libvirt.OpenHandles);
        Assert.Empty(_host.Libvirt.Commands);
        Assert.All(_host.Find(), channel => EndpointGrammar.Default.Parse(channel.Endpoint));
    }

    [Theory]
    [InlineData("<domain><name>web1</name>")]
    [InlineData("")]
    [InlineData("<domain><name/><devices><channel><target name='org.qemu.guest_agent.0'/></channel></devices></domain>")]
    [InlineData("<domain><name>a/b</name><devices><channel><target name='org.qemu.guest_agent.0'/></channel></devices></domain>")]
    public void A_domain_that_cannot_be_read_is_told_and_the_others_are_found(string description)
    {
        _host.Write("/run/libvirt/libvirt-sock");
        _host.Libvirt.Descriptions = [description, Domain("db1", "<channel><target name='org.qemu.guest_agent.0'/></channel>")];
        Assert.Equal("db1", Assert.Single(_host.Find()).Name);
        Assert.StartsWith("A domain of libvirt (qemu:///system) is not listed: ", Assert.Single(_host.Told), StringComparison.Ordinal);
    }

    [Fact]
    public void A_libvirt_that_cannot_be_asked_is_told_and_the_others_are_found()
    {
        _host.Write("/run/libvirt/libvirt-sock");
        _host.Write("/var/run/qemu-server/101.qga");
        _host.Libvirt.ConnectError = new LibvirtException(LibvirtError.System, "Permission denied", 13);
        Assert.Single(_host.Find());
        Assert.Contains("Permission denied", Assert.Single(_host.Told), StringComparison.Ordinal);
    }

    [Fact]
    public async Task This_host_can_be_looked_at()
    {
        // A process with the command line of a QEMU; where a real one runs it is listed beside it.
        var name = $"vm-{Guid.NewGuid():N}";
        var start = new ProcessStartInfo("bash",
        [
            "-c", "exec -a qemu-system-x86_64 bash -c 'echo; read' x \"$@\"", "x", "-name", name,
            "-chardev", $"socket,id=qga0,path=/run/{name}.sock,server=on", "-device", AgentDevice,
        ]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        using var qemu = Process.Start(start)!;
        await qemu.StandardOutput.ReadLineAsync(CancellationToken.None).AsTask().OrHang();
        var found = new ChannelFinder().Find();
        qemu.StandardInput.Close();
        await qemu.WaitForExitAsync(CancellationToken.None).OrHang();
        Assert.Contains(found, channel => channel.Name == name);
        Assert.All(found, channel => EndpointGrammar.Default.Parse(channel.Endpoint));
    }

    private static string Domain(string name, string channel) => $"<domain type='kvm' id='2'><name>{name}</name><devices>{channel}</devices></domain>";

    private static string Listing(string path, string state) => $"0000000000000000: 00000002 00000000 {state} 12345 {path}\n";
}
