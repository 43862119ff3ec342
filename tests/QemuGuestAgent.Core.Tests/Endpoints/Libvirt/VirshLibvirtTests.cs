using System.Security;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Endpoints.Libvirt;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;
using QemuGuestAgent.Core.Tests.Session;

namespace QemuGuestAgent.Core.Tests.Endpoints.Libvirt;

/// <summary>libvirt by the commands of virsh: one that says what virsh 9.0 was seen to say, and the real one with its own test driver.</summary>
public sealed class VirshLibvirtTests : IDisposable
{
    private const string Id = FakeVirsh.Id;
    private const string OtherId = FakeVirsh.OtherId;
    private const string Ping = """{"execute":"guest-ping"}""";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("qga");
    private readonly FakeVirsh _virsh = new();

    public void Dispose()
    {
        _virsh.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public void A_command_goes_to_the_domain_and_its_reply_comes_back()
    {
        using var domain = Find();
        Assert.True(domain.IsActive);
        _virsh.Answer = _ => "{\"return\":{\"a\":\"é virsh # \"}}\n";
        Assert.Equal("{\"return\":{\"a\":\"é virsh # \"}}", Encoding.UTF8.GetString(domain.SendAgentCommand("""{"execute":"guest-info"}"""u8, 7)));
        domain.SendAgentCommand(Encoding.UTF8.GetBytes(Ping), -2);
        Assert.Equal(["-q", "-c", "qemu:///system"], _virsh.Arguments);
        Assert.Equal(
            [
                "uri", "list --all --uuid --name", $"domid {Id}", $$"""qemu-agent-command {{Id}} --timeout 7 '{"execute":"guest-info"}'""",
                $"qemu-agent-command {Id} --block '{Ping}'",
            ],
            _virsh.Commands);
    }

    [Fact]
    public void Arguments_say_what_is_connected_to()
    {
        _virsh.Libvirt.Connect(null, readOnly: true).Dispose();
        Assert.Equal(["-q", "-r"], _virsh.Arguments);
    }

    [Fact]
    public void All_of_a_command_is_printable_and_stays_the_same()
    {
        const string json = "{\"execute\":\"x\",\r\n\t\"arguments\":{\"a\":\"it's \\t \\\\ \\\" \\ud800 é 😀 \u007f\"}}";
        using var domain = Find();
        Send(domain, json);
        Assert.All(_virsh.Commands[^1], c => Assert.InRange(c, ' ', '~'));
        var sent = Assert.Single(Regex.Matches(_virsh.Commands[^1], "'([^']*)'")).Groups[1].Value;
        Assert.Contains("\\u0027s \\t \\\\ \\\" \\ud800 \\u00E9 \\uD83D\\uDE00 \\u007F", sent, StringComparison.Ordinal);
        Assert.Equal("x", JsonDocument.Parse(sent).RootElement.GetProperty("execute").GetString());
    }

    [Theory]
    [InlineData("1")]
    [InlineData("it's é \"x\"")]
    [InlineData("c ")]
    [InlineData("-d")]
    [InlineData("error: x")]
    public void A_domain_is_found_by_its_whole_name(string name)
    {
        _virsh.Domains = $"{OtherId} {name}x\n{OtherId} x{name}\n{Id} {name}\n{OtherId} {name} y\n";
        using var connection = Connect();
        using var domain = connection.FindDomain(name);
        Send(domain, Ping);
        Assert.StartsWith($"qemu-agent-command {Id} ", _virsh.Commands[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_is_filled_up_is_found()
    {
        _virsh.Domains = $"{OtherId} labvm2                        \n{Id} labvm                         \n";
        using var domain = Find();
        Send(domain, Ping);
        Assert.StartsWith($"qemu-agent-command {Id} ", _virsh.Commands[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("nope")]
    [InlineData("a\nb")]
    [InlineData(Id)]
    public void A_name_that_is_not_there_is_not_found(string name)
    {
        using var connection = Connect();
        Assert.Equal(LibvirtError.NoDomain, Assert.Throws<LibvirtException>(() => connection.FindDomain(name)).Code);
        _virsh.Domains = "";
        Assert.Equal(LibvirtError.NoDomain, Assert.Throws<LibvirtException>(() => connection.FindDomain("labvm")).Code);
    }

    [Fact]
    public void A_domain_without_a_number_is_not_active()
    {
        using var domain = Find();
        _virsh.Answer = _ => "-\n";
        Assert.False(domain.IsActive);
    }

    [Theory]
    [InlineData(1, "internal error: unable to execute QEMU agent command 'x': The command x has not been found")]
    [InlineData(1, "internal error: client socket is closed")]
    [InlineData(1, "this function is not supported by the connection driver: virDomainQemuAgentCommand")]
    [InlineData(29, "operation forbidden: read only access prevents virDomainQemuAgentCommand")]
    [InlineData(38, "Failed to connect socket to '/var/run/libvirt/libvirt-sock': Permission denied")]
    [InlineData(39, "Unable to encode message payload")]
    [InlineData(39, "packet 16777240 bytes received from server too large, want 16777216")]
    [InlineData(42, "failed to get domain 'x'")]
    [InlineData(42, "failed to get domain 'x'", "Domain not found: no domain with matching name 'x'")]
    [InlineData(88, "failed to get domain 'x'", "access denied: 'domain' denied access")]
    [InlineData(45, "authentication failed: access denied by policy")]
    [InlineData(55, "Requested operation is not valid: domain is not running")]
    [InlineData(68, "Timed out during operation: cannot acquire state change lock")]
    [InlineData(74, "argument unsupported: QEMU guest agent is not configured")]
    [InlineData(79, "authentication cancelled: user cancelled")]
    [InlineData(86, "Guest agent is not responding: QEMU guest agent is not connected")]
    [InlineData(88, "access denied")]
    [InlineData(94, "authentication unavailable: no polkit agent available to authenticate action 'org.libvirt.unix.manage'")]
    [InlineData(97, "guest agent replied with wrong id to guest-sync command: 7")]
    [InlineData(112, "guest agent command timed out: guest agent didn't respond to command within '5' seconds")]
    public void An_error_has_its_code_and_its_text(int code, params string[] texts)
    {
        using var domain = Find();
        _virsh.Answer = _ => string.Concat(texts.Select(text => $"error: {text}\n"));
        var error = Assert.Throws<LibvirtException>(() => Send(domain, Ping));
        Assert.Equal(((LibvirtError)code, string.Join(" ", texts)), (error.Code, error.Message));
        Assert.Equal(code == 38 ? 13 : -1, error.SystemError);
        _virsh.Answer = _ => "{}\n";
        Assert.Equal("{}", Send(domain, Ping));
    }

    [Fact]
    public void What_a_guest_says_is_no_error_of_libvirt_s()
    {
        using var domain = Find();
        _virsh.Answer = _ =>
            "error: internal error: unable to execute QEMU agent command 'x': a\nb\nerror: Domain not found: c\nvirsh # qga-mark-1\n";
        var error = Assert.Throws<LibvirtException>(() => Send(domain, Ping));
        Assert.Equal(LibvirtError.Internal, error.Code);
        Assert.Equal("internal error: unable to execute QEMU agent command 'x': a b Domain not found: c", error.Message);
    }

    [Fact]
    public void A_connection_that_virsh_has_made_again_does_not_hide_the_reply()
    {
        using var domain = Find();
        _virsh.Answer = _ => "error: Disconnected from qemu:///system due to end of file\nerror: Reconnected to the hypervisor\n{\"return\":1}\n";
        Assert.Equal("{\"return\":1}", Send(domain, Ping));
    }

    [Theory]
    [InlineData(Ping, true)]
    [InlineData(Ping, false)]
    [InlineData("""{"execute":"guest-set-user-password","arguments":{"username":"me","password":"secret"}}""", false)]
    public void A_command_is_never_part_of_an_error(string json, bool ends)
    {
        using var domain = Find();
        _virsh.Before = "error: Disconnected from qemu:///system due to end of file\n";
        _virsh.Answer = _ => "error: Failed to reconnect to the hypervisor\nerror: Failed to create '/dev/null/libvirt/virsh': Not a directory\n";
        _virsh.End = ends ? new IOException("it has ended") : null;
        var error = Assert.Throws<LibvirtException>(() => Send(domain, json));
        Assert.Equal("Disconnected from qemu:///system due to end of file Failed to reconnect to the hypervisor", error.Message);
        _virsh.Answer = _ => "";
        Assert.DoesNotContain("execute", Assert.Throws<LibvirtException>(() => Send(domain, json)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"return\":{}}")]
    [InlineData("noise\n{\"return\":{}}")]
    public void Output_need_not_end_with_a_line(string output)
    {
        using var domain = Find();
        _virsh.Answer = _ => output;
        Assert.Equal("{\"return\":{}}", Send(domain, Ping));
        _virsh.Answer = _ => "noise";
        Assert.Equal(LibvirtError.Internal, Assert.Throws<LibvirtException>(() => Send(domain, Ping)).Code);
    }

    [Fact]
    public void A_virsh_that_repeats_no_line_is_understood()
    {
        _virsh.HasReadline = false;
        using var domain = Find();
        Assert.True(domain.IsActive);
        Assert.Equal("{}", Send(domain, Ping));
        _virsh.Answer = _ => "error: access denied\n";
        Assert.Equal(LibvirtError.AccessDenied, Assert.Throws<LibvirtException>(() => Send(domain, Ping)).Code);
    }

    [Fact]
    public void A_long_command_and_a_long_reply_pass()
    {
        using var domain = Find();
        var reply = $"{{\"return\":\"{new string('y', 4 << 20)}\"}}";
        _virsh.Answer = _ => reply + "\n";
        Assert.Equal(reply, Send(domain, $"{{\"execute\":\"{new string('x', 400_000)}\"}}"));
        Assert.True(_virsh.Commands[^1].Length > 400_000);
    }

    [Fact]
    public void A_virsh_that_ends_says_why_and_stays_ended()
    {
        using var domain = Find();
        _virsh.Answer = _ => throw new IOException("'ssh' ended with exit code 255: Connection to host closed");
        var error = Assert.Throws<LibvirtException>(() => Send(domain, Ping));
        Assert.Equal((LibvirtError.System, "'ssh' ended with exit code 255: Connection to host closed"), (error.Code, error.Message));
        Assert.True(_virsh.IsClosed);
        Assert.Equal(LibvirtError.System, Assert.Throws<LibvirtException>(() => domain.IsActive).Code);
    }

    [Fact]
    public void What_has_no_end_is_given_up()
    {
        using var domain = Find();
        _virsh.IsEndless = true;
        Assert.Contains("64 MiB", Assert.Throws<LibvirtException>(() => Send(domain, Ping)).Message, StringComparison.Ordinal);
        Assert.True(_virsh.IsClosed);
    }

    [Fact]
    public async Task To_close_it_ends_the_call()
    {
        var domain = Find();
        _virsh.IsSilent = true;
        var call = Task.Run(() => Send(domain, Ping));
        await Poll.UntilAsync(() => _virsh.IsAsked, "the command to be sent");
        domain.Dispose();
        Assert.Equal(LibvirtError.System, (await Assert.ThrowsAsync<LibvirtException>(() => call.OrHang())).Code);
        domain.Dispose();
        Assert.Throws<LibvirtException>(() => Send(domain, Ping));
    }

    [Fact]
    public void The_last_of_connection_and_domains_closes_it()
    {
        var connection = Connect();
        var (domain, other) = (connection.FindDomain("labvm"), connection.FindDomain("labvm"));
        connection.Dispose();
        connection.Dispose();
        domain.Dispose();
        domain.Dispose();
        Assert.Equal("{}", Send(other, Ping));
        Assert.False(_virsh.IsClosed);
        other.Dispose();
        Assert.True(_virsh.IsClosed);
        Assert.Throws<LibvirtException>(() => connection.FindDomain("labvm"));
    }

    [Fact]
    public async Task Calls_of_several_threads_come_one_after_the_other()
    {
        using var domain = Find();
        _virsh.Answer = command => command[command.IndexOf('{', StringComparison.Ordinal)..^1] + "\n";
        var calls = Enumerable.Range(0, 50).Select(number => Task.Run(() => Send(domain, $"{{\"execute\":{number}}}"))).ToArray();
        Assert.Equal(Enumerable.Range(0, 50).Select(number => $"{{\"execute\":{number}}}"), await Task.WhenAll(calls).OrHang());
    }

    [Theory]
    [InlineData(38, 13, "error: failed to connect to the hypervisor\nerror: Failed to connect socket to '/s': Permission denied\n", true)]
    [InlineData(1, -1, "error: failed to connect to the hypervisor\nerror: Failed to connect socket to '/s': No such file or directory\n", true)]
    [InlineData(94, -1, "error: failed to connect to the hypervisor\nerror: authentication unavailable: no polkit agent\n", false)]
    [InlineData(38, -1, "sh: 1: virsh: not found\n", true)]
    public void What_does_not_connect_says_why(int code, int systemError, string output, bool ends)
    {
        _virsh.Answer = _ => output;
        _virsh.End = ends ? new IOException("'ssh' ended with exit code 127") : null;
        var error = Assert.Throws<LibvirtException>(Connect);
        Assert.Equal(((LibvirtError)code, systemError), (error.Code, error.SystemError));
        Assert.EndsWith(output.Replace("error: ", "", StringComparison.Ordinal).Trim().Split('\n')[^1], error.Message, StringComparison.Ordinal);
        Assert.True(_virsh.IsClosed);
    }

    [Fact]
    public void Active_domains_are_described_but_not_those_that_have_ended()
    {
        const string xml = "<domain id='1'>\n  <description>a\nerror: b</description>\n</domain>";
        _virsh.Answer = command => command switch
        {
            $"dumpxml {Id}" => $"{xml}\n\n",
            $"dumpxml {OtherId}" => $"error: failed to get domain '{OtherId}'\n",
            _ => null,
        };
        _virsh.Domains = $"{OtherId}\n{Id}\n\n";
        using var connection = Connect();
        Assert.Equal(xml, Assert.Single(connection.DescribeActiveDomains()).Trim());
    }

    [Fact]
    public async Task A_session_works()
    {
        using var libvirt = new FakeLibvirt();
        using var agent = libvirt.Connect(null, readOnly: false).FindDomain(FakeLibvirt.DomainName);
        _virsh.Answer = command =>
        {
            if (!command.StartsWith("qemu-agent-command ", StringComparison.Ordinal))
            {
                return null;
            }

            try
            {
                var json = command[command.IndexOf('{', StringComparison.Ordinal)..^1];
                return Encoding.UTF8.GetString(agent.SendAgentCommand(Encoding.UTF8.GetBytes(json), 5)) + "\n";
            }
            catch (LibvirtException e)
            {
                return $"error: {e.Message}\n\n";
            }
        };
        using var session = await new LibvirtEndpoint("labvm", null, _virsh.Libvirt).Connect();
        Assert.Equal("{}", (await session.Ask("guest-ping")).GetRawText());
        await session.Ask("guest-nonsense").FailsWith(ErrorCatalogue.CommandNotFound);
        _virsh.Answer = _ => throw new IOException("'ssh' ended with exit code 255");
        var error = await session.Ask("guest-ping").FailsWith(ErrorCatalogue.ConnectionLost);
        Assert.Contains("exit code 255", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_real_virsh_finds_its_domain_and_says_what_its_driver_cannot()
    {
        using var connection = RealVirsh().Connect("test:///default", readOnly: false);
        using var domain = connection.FindDomain("test");
        Assert.True(domain.IsActive);
        Assert.Contains("<name>test</name>", Assert.Single(connection.DescribeActiveDomains()), StringComparison.Ordinal);
        Assert.Equal(LibvirtError.NoDomain, Assert.Throws<LibvirtException>(() => connection.FindDomain("1")).Code);
        foreach (var json in new[] { Ping, $"{{\"execute\":\"{new string('x', 400_000)} it's é\"}}" })
        {
            var error = Assert.Throws<LibvirtException>(() => Send(domain, json));
            const string text = "this function is not supported by the connection driver: virDomainQemuAgentCommand";
            Assert.Equal((LibvirtError.Internal, text), (error.Code, error.Message));
        }

        Assert.Empty(_folder.EnumerateFileSystemInfos());
    }

    [Theory]
    [InlineData("1")]
    [InlineData("it's é \"x\" \\")]
    [InlineData("c ")]
    [InlineData("-d")]
    [InlineData("$(id)")]
    public void The_real_virsh_takes_a_name_for_nothing_else(string name)
    {
        var node = Path.Combine(_folder.FullName, "node.xml");
        var domains = new[] { "first", name, name + "x" }.Select(each =>
            $"<domain type='test'><name>{SecurityElement.Escape(each)}</name><memory>1024</memory><os><type>hvm</type></os></domain>");
        File.WriteAllText(node, $"<node>{string.Concat(domains)}</node>");
        using var connection = RealVirsh().Connect($"test://{node}", readOnly: false);
        using var domain = connection.FindDomain(name);
        Assert.True(domain.IsActive);
        Assert.Equal(3, connection.DescribeActiveDomains().Count);
    }

    [Fact]
    public void The_real_virsh_reads_only()
    {
        using var connection = RealVirsh().Connect("test:///default", readOnly: true);
        using var domain = connection.FindDomain("test");
        var error = Assert.Throws<LibvirtException>(() => Send(domain, Ping));
        Assert.NotEmpty(error.Message);
    }

    [Theory]
    [InlineData("qemu+unix:///session?socket=/no/such/socket", "No such file or directory")]
    [InlineData("test:///no/such/file.xml", "/no/such/file.xml")]
    public void The_real_virsh_says_why_it_does_not_connect(string uri, string text) => Assert.Contains(
        text, Assert.Throws<LibvirtException>(() => RealVirsh().Connect(uri, readOnly: false)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task The_real_virsh_may_be_killed()
    {
        using var connection = RealVirsh("echo $$ > \"$HOME/pid\"; ").Connect("test:///default", readOnly: false);
        using var domain = connection.FindDomain("test");
        AgentProcess.Send(int.Parse(await File.ReadAllTextAsync(Path.Combine(_folder.FullName, "pid"), CancellationToken.None), null), Signal.Kill);
        var error = Assert.Throws<LibvirtException>(() => domain.IsActive);
        Assert.Contains("ended with exit code 137", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_host_without_virsh_says_so()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The shell is that of Unix.");
        var libvirt = new VirshLibvirt(_ => Start("sh", "-c", "exec no-such-virsh 2>&1"));
        var error = Assert.Throws<LibvirtException>(() => libvirt.Connect("qemu:///system", readOnly: false));
        Assert.Contains("exit code 127", error.Message, StringComparison.Ordinal);
        Assert.Contains("not found", error.Message, StringComparison.Ordinal);
    }

    private static string Send(ILibvirtDomain domain, string json) =>
        Encoding.UTF8.GetString(domain.SendAgentCommand(Encoding.UTF8.GetBytes(json), 5));

    private static Stream Start(string program, params string[] arguments) =>
        new ExecEndpoint(program, arguments).OpenAsync(CancellationToken.None).GetAwaiter().GetResult();

    private ILibvirtConnection Connect() => _virsh.Libvirt.Connect("qemu:///system", readOnly: false);

    private ILibvirtDomain Find()
    {
        using var connection = Connect();
        return connection.FindDomain("labvm");
    }

    // With an empty home, where it is to leave nothing.
    private VirshLibvirt RealVirsh(string before = "")
    {
        InstalledProgram.OrSkip("virsh", "libvirt-clients");
        var variables = VirshLibvirt.Variables.Append(new("HOME", _folder.FullName)).Select(variable => $"{variable.Key}={variable.Value}");
        return new VirshLibvirt(
            arguments => Start("env", [.. variables, "sh", "-c", before + "exec virsh \"$@\" 2>&1", "sh", .. arguments]));
    }
}
