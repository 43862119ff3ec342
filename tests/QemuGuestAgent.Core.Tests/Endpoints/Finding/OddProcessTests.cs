using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Endpoints.Finding;
using static QemuGuestAgent.Core.Tests.Endpoints.Finding.FakeHost;

namespace QemuGuestAgent.Core.Tests.Endpoints.Finding;

/// <summary>Any user of a host can have a process with any command line, and sockets of any name: the others are found all the same.</summary>
public sealed class OddProcessTests : IDisposable
{
    private const int Seed = 20261128;

    // What a QEMU's command line is made of, and what is none.
    private static readonly string[] Pieces =
    [
        "socket", "pty", "virtserialport", ",", ",,", ",,,", "=", "==", "id=qga0", "chardev=qga0", "name=org.qemu.guest_agent.0", "path=", "path=/", "path=@",
        "path=/run/a", "path=a", "port=4444", "port=0", "port=ssh", "port=-1", "host=", "host=::1", "host=a b", "host=[", "server", "server=on", "abstract=on",
        "backend=socket", "backend", "driver=virtserialport", "driver", "guest=", "guest=a\u001b[31m", "{", "}", "[", "]", "\"", "\\ud800", ":", "null", "1e999",
        "{\"id\":\"qga0\",\"backend\":{\"type\":\"socket\",\"data\":{\"addr\":{\"data\":{\"path\":\"\"}},\"server\":true}}}",
        "{\"driver\":\"virtserialport\",\"chardev\":\"qga0\",\"name\":\"org.qemu.guest_agent.0\"}", "{\"a\":\"\\ud800\"}", "{\"\\ud800\":1}", "\uFFFF", "\n", "?", "#", "%",
    ];

    private readonly FakeHost _host = new();

    public OddProcessTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "The hosts are those of Linux.");

    public void Dispose() => _host.Dispose();

    [Theory]
    [InlineData("socket,id=qga0,path=,server=on", AgentDevice)]
    [InlineData("socket,id=qga0,path=,abstract=on,server=on", AgentDevice)]
    [InlineData("pty,id=qga0,path=", AgentDevice)]
    [InlineData("socket,id=qga0,host=a b,port=4444,server=on", AgentDevice)]
    [InlineData("socket,id=qga0,port=,server=on", AgentDevice)]
    [InlineData("id=qga0,server=on,path=/run/a", AgentDevice)]
    [InlineData("", "")]
    [InlineData(",", ",")]
    [InlineData("=", "=")]
    [InlineData("{}", "{}")]
    [InlineData("[]", "[]")]
    [InlineData("{\"id\":\"\\ud800\"}", AgentDevice)]
    [InlineData("{\"\\ud800\":{\"a\":1}}", AgentDevice)]
    [InlineData("{\"id\":null,\"backend\":{\"type\":{}}}", AgentDevice)]
    public void An_odd_command_line_hides_no_other(string chardev, string device)
    {
        StartOrdinary();
        _host.Start(1, "qemu-kvm", "-name", "", "-chardev", chardev, "-device", device, "-name", "guest=", "", "-chardev");
        _host.Start(2, "qemu", "-chardev", new string('{', 100_000), "-device", $"{{\"a\":{string.Concat(Enumerable.Repeat("{\"a\":", 100_000))}");
        _host.Start(3, "");
        _host.Write("/proc/4/cmdline");
        Assert.Equal("web1", Assert.Single(_host.Find()).Name);
    }

    [Fact]
    public void Whatever_stands_there_nothing_falls()
    {
        StartOrdinary();
        var random = new Random(Seed);
        for (var round = 0; round < 3000; round++)
        {
            _host.Start(1, "qemu-kvm", [.. Enumerable.Range(0, 8).Select(i => random.Next(8) == 0 ? Text() : (i % 4) switch
            {
                0 => "-chardev",
                1 => "socket,id=qga0,server=on," + Text(),
                2 => "-device",
                _ => random.Next(2) == 0 ? AgentDevice : Text(),
            })]);
            _host.Write("/proc/net/unix", $"Num       RefCount Protocol Flags\n{Text()}\n {Text()}\n0: 1 {Text()}\n {Text()} /run/a\n");
            var found = _host.Find();
            Assert.Contains(found, channel => channel.Name == "web1");
            Assert.All(found, channel =>
            {
                Assert.NotEmpty(channel.Name);
                Assert.DoesNotContain($"{channel}", char.IsControl);
                EndpointGrammar.Default.Parse(channel.Endpoint);
            });
            Assert.DoesNotContain(string.Concat(_host.Told), char.IsControl);
            _host.Told.Clear();
        }

        string Text() => string.Concat(Enumerable.Range(0, random.Next(6)).Select(_ => Pieces[random.Next(Pieces.Length)] + (random.Next(2) == 0 ? "," : "")));
    }

    [Fact]
    public void Neither_a_name_nor_a_path_acts_on_a_terminal()
    {
        StartOrdinary();
        _host.Start(1, "qemu-kvm", "-name", "\u001b]0;mine\a", "-chardev", "socket,id=qga0,path=/run/a,server=on", "-device", AgentDevice);
        _host.Start(2, "qemu-kvm", "-name", "\u001b[2J", "-chardev", "socket,id=qga0,path=/run/\u001b[2J,server=on", "-device", AgentDevice);
        _host.Start(3, "qemu-kvm", "-chardev", $"socket,id=qga0,path=/\u001b[2J{new string('x', 200)},server=on", "-device", AgentDevice);
        Assert.Equal(["\\u001B]0;mine\\u0007", "web1"], _host.Find().Select(channel => channel.Name));
        Assert.Equal(1, _host.Told.Count(text => text.Contains("contains control characters", StringComparison.Ordinal)));
        Assert.DoesNotContain(string.Concat(_host.Told), char.IsControl);
    }

    [Fact]
    public void The_name_of_a_socket_may_hold_lines()
    {
        StartOrdinary();
        _host.Write(
            "/proc/net/unix",
            "Num       RefCount Protocol Flags    Type St Inode Path\n"
            + "0000000000000000: 00000002 00000000 00010000 0001 01    17 /tmp/a\n /run/web1.sock\n"
            + "0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/web1.sock\n");
        Assert.Equal(FoundChannelState.Free, Assert.Single(_host.Find()).State);
    }

    private void StartOrdinary() => _host.Start(
        4711, "qemu-kvm", "-name", "web1", "-chardev", "socket,id=qga0,path=/run/web1.sock,server=on", "-device", AgentDevice);
}
