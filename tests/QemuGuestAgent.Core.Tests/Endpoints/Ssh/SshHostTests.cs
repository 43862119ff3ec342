using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Endpoints.Ssh;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Endpoints.Ssh;

/// <summary>How a host is written, and what ssh is told of it.</summary>
public sealed class SshHostTests
{
    [Theory]
    [InlineData("ssh://kvm1/run/vm/web1.sock", "kvm1", null, null, "/run/vm/web1.sock")]
    [InlineData("SSH://root@kvm1.example:2222/a", "kvm1.example", "root", 2222, "/a")]
    [InlineData("ssh://[::1]:22/a", "::1", null, 22, "/a")]
    [InlineData("ssh://me@[fe80::1%25eth0]/a", "fe80::1%eth0", "me", null, "/a")]
    [InlineData(@"ssh://DOMAIN\me@kvm1/a", "kvm1", @"DOMAIN\me", null, "/a")]
    [InlineData("ssh://me%40example.org@kvm1/a", "kvm1", "me@example.org", null, "/a")]
    [InlineData("ssh://kvm1//a%20b%3F%25%0A:c@d+e", "kvm1", null, null, "//a b?%\n:c@d+e")]
    public void An_endpoint_has_a_host_and_a_path(string text, string host, string? user, int? port, string path)
    {
        var endpoint = Assert.IsType<SshEndpoint>(EndpointGrammar.Default.Parse(text));
        Assert.Equal((host, user, port, path), (endpoint.Host.HostName, endpoint.Host.UserName, endpoint.Host.Port, endpoint.SocketPath));
        Assert.Equal(host, endpoint.HostName);
        Assert.Equal(endpoint.ToString(), EndpointGrammar.Default.Parse(endpoint.ToString()).ToString());
        Assert.Equal(path, ((SshEndpoint)EndpointGrammar.Default.Parse(endpoint.ToString())).SocketPath);
    }

    [Fact]
    public void Options_are_those_of_ssh_and_sudo()
    {
        const string text = "ssh://kvm1/a?IdentityFile=/home/me/a%20key%25&ProxyJump=gate&sudo";
        var endpoint = (SshEndpoint)EndpointGrammar.Default.Parse(text);
        Assert.Equal(text, endpoint.ToString());
        Assert.True(endpoint.Host.UsesSudo);
        Assert.Equal(
            new Dictionary<string, string> { ["IdentityFile"] = "/home/me/a key%", ["ProxyJump"] = "gate" }, endpoint.Host.Options);
    }

    [Theory]
    [InlineData("ssh:kvm1/a", "//")]
    [InlineData("ssh:///a", "host")]
    [InlineData("ssh://kvm1", "path")]
    [InlineData("ssh://kvm1/", "path")]
    [InlineData("ssh://-oProxyCommand=x/a", "host")]
    [InlineData("ssh://%2DoProxyCommand%3Dx/a", "host")]
    [InlineData("ssh://a$(x)/a", "host")]
    [InlineData("ssh://a b/a", "host")]
    [InlineData("ssh://-l@kvm1/a", "user")]
    [InlineData("ssh://a;b@kvm1/a", "user")]
    [InlineData("ssh://@kvm1/a", "user")]
    [InlineData("ssh://kvm1:0/a", "port")]
    [InlineData("ssh://kvm1:65536/a", "port")]
    [InlineData("ssh://::1/a", "port")]
    [InlineData("ssh://[::1]x/a", "host")]
    [InlineData("ssh://kvm1/a%00b", "NUL")]
    [InlineData("ssh://kvm1/a?none", "none")]
    [InlineData("ssh://kvm1/a?Proxy Command=x", "Proxy Command")]
    [InlineData("ssh://kvm1/a?Port=", "Port")]
    [InlineData("ssh://kvm1/a?SetEnv=a%0Ab", "SetEnv")]
    [InlineData("ssh://kvm1/a?controlpersist=yes", "controlpersist")]
    [InlineData("ssh://kvm1/a?ForkAfterAuthentication=yes", "ForkAfterAuthentication")]
    public void What_is_not_valid_is_told_of(string text, string part)
    {
        var error = Assert.Throws<GuestAgentException>(() => EndpointGrammar.Default.Parse(text)).ShouldBe(ErrorCatalogue.EndpointMalformed);
        Assert.Contains(part, error.Message);
    }

    [Fact]
    public void A_path_has_to_be_one_of_a_socket()
    {
        var longest = $"ssh://kvm1/{new string('a', 106)}";
        Assert.Equal(107, ((SshEndpoint)EndpointGrammar.Default.Parse(longest)).SocketPath.Length);
        Assert.Throws<GuestAgentException>(() => EndpointGrammar.Default.Parse($"{longest}a")).ShouldBe(ErrorCatalogue.EndpointMalformed);
    }

    [Theory]
    [InlineData("ssh://kvm1/run/vm/web1.sock", "ssh://root@KVM1/var/run/vm/web1.sock?sudo", true)]
    [InlineData("ssh://kvm1/run/vm/web1.sock", "ssh://kvm2/run/vm/web1.sock", false)]
    [InlineData("ssh://kvm1/run/vm/web1.sock", "ssh://kvm1:2222/run/vm/web1.sock", false)]
    [InlineData("ssh://kvm1/run/vm/web1.sock", "ssh://kvm1/run/vm/web2.sock", false)]
    [InlineData("ssh://kvm1/run/vm/web1.sock", "ssh://kvm1/run/vm/web1.sock?HostName=kvm2", false)]
    [InlineData("ssh://kvm1/a?proxyjump=gate&Port=3", "ssh://kvm1/a?Port=3&ProxyJump=gate&ConnectTimeout=3", true)]
    public void One_socket_is_one_channel_whoever_logs_in(string one, string other, bool isSame) =>
        Assert.Equal(isSame, EndpointGrammar.Default.Parse(one).LockName == EndpointGrammar.Default.Parse(other).LockName);

    [Fact]
    public void The_client_gets_the_options_of_the_module_first_and_those_of_the_user_as_they_are()
    {
        var options = new Dictionary<string, string> { ["IdentityFile"] = @"C:\Users\me\a 100% key", ["ProxyCommand"] = "ssh -W %h:%p gate" };
        var arguments = SshClient.Options(new SshHost("kvm1", "me", 2222, options), asks: false).ToList();
        Assert.Equal(["-T", "-x", "-a", "-o", "BatchMode=yes"], arguments.Take(5));
        Assert.Equal(
            ["-p", "2222", "-l", "me", "-i", @"C:\Users\me\a 100%% key", "-o", "ProxyCommand=ssh -W %h:%p gate"],
            arguments.SkipWhile(argument => argument != "-p").Take(8));
        Assert.Contains("BatchMode=no", SshClient.Options(new SshHost("kvm1"), asks: true));
    }

    [Theory]
    [InlineData("qemu:///system'$(id)'")]
    [InlineData("a b")]
    [InlineData("a;b")]
    [InlineData("a\nb")]
    public void No_argument_can_be_a_command_for_the_shell_of_a_host(string argument) =>
        Assert.Throws<FormatException>(() => HostScripts.CommandLine(HostScripts.Virsh, "qga-1", ["-c", argument], usesSudo: false));

    [Theory]
    [InlineData("/run/vm/web1.sock")]
    [InlineData("/a b\"c\\\\\" 'd' \\ %PATH% ^& é")]
    public void On_Windows_the_command_line_of_ssh_has_each_argument_whole(string path)
    {
        var command = HostScripts.CommandLine(
            HostScripts.Relay, "qga-1", [HostScripts.Encode(path), HostScripts.EncodeForSocat(path)], usesSudo: true);
        string[] arguments =
        [
            .. SshClient.Options(new SshHost("kvm1", options: new Dictionary<string, string> { ["IdentityFile"] = @"C:\a key\" }), asks: false),
            "--", "kvm1", command,
        ];
        Assert.Equal(arguments, SplitAsWindows(WindowsCommandLine.Of(arguments)));
    }

    // CommandLineToArgvW: 2n backslashes before a quote are n, 2n+1 are n and a quote that is text; others are themselves.
    private static List<string> SplitAsWindows(string line)
    {
        var words = new List<string>();
        var word = "";
        var isQuoted = false;
        for (var i = 0; i < line.Length; i++)
        {
            var start = i;
            while (i < line.Length && line[i] == '\\')
            {
                i++;
            }

            var isQuote = i < line.Length && line[i] == '"';
            word += new string('\\', isQuote ? (i - start) / 2 : i - start);
            if (isQuote && (i - start) % 2 == 0)
            {
                isQuoted = !isQuoted;
            }
            else if (i < line.Length && line[i] == ' ' && !isQuoted)
            {
                words.Add(word);
                word = "";
            }
            else if (i < line.Length)
            {
                word += line[i];
            }
        }

        return [.. words, word];
    }
}
