using QemuGuestAgent.Core.Endpoints.Libvirt;

namespace QemuGuestAgent.Core.Tests.Endpoints.Libvirt;

/// <summary>What a libvirt URI says of the host that it leads to by ssh.</summary>
public sealed class LibvirtSshUriTests
{
    [Theory]
    [InlineData("qemu+ssh://host/system", null, "host", null, "qemu:///system")]
    [InlineData("qemu+ssh://root@host:2222/system", "root", "host", 2222, "qemu:///system")]
    [InlineData("qemu+ssh://me@[2001:db8::1]:22/session", "me", "2001:db8::1", 22, "qemu:///session")]
    [InlineData("qemu+ssh://[::1]/system", null, "::1", null, "qemu:///system")]
    [InlineData("qemu+ssh://a%40b@host/system", "a@b", "host", null, "qemu:///system")]
    [InlineData("qemu+ssh://a@b@host/system", "a@b", "host", null, "qemu:///system")]
    [InlineData("qemu+ssh:///system", null, "localhost", null, "qemu:///system")]
    [InlineData("test+ssh://host/a%20b/node.xml", null, "host", null, "test:///a%20b/node.xml")]
    [InlineData("xen+ssh://host", null, "host", null, "xen:///")]
    [InlineData("qemu+ssh://host/system?", null, "host", null, "qemu:///system")]
    public void A_URI_tells_user_host_port_and_the_URI_there(string uri, string? user, string host, int? port, string local)
    {
        var result = LibvirtSshUri.Parse(uri)!;
        Assert.Equal((user, host, port, local), (result.Host.UserName, result.Host.HostName, result.Host.Port, result.LocalUri));
        Assert.Empty(result.Host.Options);
    }

    [Fact]
    public void Options_are_decoded()
    {
        var result = LibvirtSshUri.Parse("qemu+ssh://host/system?keyfile=/a%20b/key&no%5Fverify=1;known_hosts=/x=y%26z")!;
        Assert.Equal(
            new Dictionary<string, string> { ["IdentityFile"] = "/a b/key", ["StrictHostKeyChecking"] = "no", ["UserKnownHostsFile"] = "/x=y&z" },
            result.Host.Options);
        Assert.Empty(LibvirtSshUri.Parse("qemu+ssh://host/system?no_verify=0")!.Host.Options);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("qemu:///system")]
    [InlineData("qemu+tls://host/system")]
    [InlineData("qemu+libssh2://host/system")]
    [InlineData("qemu+unix:///session?socket=/tmp/x+ssh://y")]
    [InlineData("+ssh://host/system")]
    public void Another_transport_is_none(string? uri) => Assert.Null(LibvirtSshUri.Parse(uri));

    [Theory]
    [InlineData("socket=/run/s", "its option 'socket' needs libvirt's own library")]
    [InlineData("mode=legacy", "its option 'mode' needs libvirt's own library")]
    [InlineData("keyfile=/k&netcat=nc", "its option 'netcat' needs libvirt's own library")]
    [InlineData("KeyFile=/k", "its option 'KeyFile' needs libvirt's own library")]
    [InlineData("no_verify=yes", "its option 'no_verify' is neither 0 nor 1")]
    public void What_ssh_alone_cannot_follow_is_refused(string options, string text) =>
        Assert.Equal(text, Assert.Throws<FormatException>(() => LibvirtSshUri.Parse($"qemu+ssh://host/system?{options}")).Message);

    [Theory]
    [InlineData("-oProxyCommand=x")]
    [InlineData("%2DoProxyCommand=x")]
    [InlineData("-l@host")]
    [InlineData("a%20b")]
    [InlineData("host%0A")]
    [InlineData("host:0")]
    [InlineData("host:65536")]
    [InlineData("host:+22")]
    [InlineData("[::1]x:22")]
    [InlineData("[]")]
    public void What_is_no_host_is_refused(string authority) =>
        Assert.Throws<FormatException>(() => LibvirtSshUri.Parse($"qemu+ssh://{authority}/system"));
}
