using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Endpoints;

/// <summary>How an endpoint is written.</summary>
public sealed class EndpointGrammarTests
{
    [Theory]
    [InlineData("unix:/run/vm1.qga", "/run/vm1.qga")]
    [InlineData("UNIX:/run/vm1.qga", "/run/vm1.qga")]
    [InlineData("/run/vm1.qga", "/run/vm1.qga")]
    [InlineData("/run/../tmp//vm1.qga", "/tmp/vm1.qga")]
    [InlineData("/run/odd: name é.sock", "/run/odd: name é.sock")]
    [InlineData("unix:/run/tcp://x", "/run/tcp:/x")]
    public void A_path_is_a_Unix_socket(string text, string path)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "An absolute path is another one on Windows.");
        Assert.Equal(path, Assert.IsType<UnixEndpoint>(EndpointGrammar.Default.Parse(text)).SocketPath);
    }

    [Theory]
    [InlineData("vm1.qga")]
    [InlineData("unix:vm1.qga")]
    [InlineData("./vm1.qga")]
    [InlineData("unix:./run/../vm1.qga")]
    public void A_relative_path_is_one_of_the_current_folder(string text) =>
        Assert.Equal(Path.GetFullPath("vm1.qga"), ((UnixEndpoint)EndpointGrammar.Default.Parse(text)).SocketPath);

    [Theory]
    [InlineData(@"C:\run\vm1.sock")]
    [InlineData("C:/run/vm1.sock")]
    [InlineData("./vm:1.sock")]
    [InlineData("1a:x")]
    [InlineData("a b:x")]
    public void What_cannot_be_a_kind_is_part_of_a_path(string text)
    {
        // As a shell resolves it: the text as a whole is the path.
        var endpoint = EndpointGrammar.Default.Parse(text, path => $"/resolved/{path}");
        Assert.Equal($"/resolved/{text}", Assert.IsType<UnixEndpoint>(endpoint).SocketPath);
    }

    [Theory]
    [InlineData("tcp://127.0.0.1:5000", "127.0.0.1", 5000)]
    [InlineData("TCP://host.example:1", "host.example", 1)]
    [InlineData("tcp://[::1]:65535", "::1", 65535)]
    [InlineData("tcp://[fe80::1%eth0]:5000", "fe80::1%eth0", 5000)]
    [InlineData("tcp://host:5000/", "host", 5000)]
    public void A_host_and_a_port_are_a_TCP_endpoint(string text, string host, int port)
    {
        var endpoint = Assert.IsType<TcpEndpoint>(EndpointGrammar.Default.Parse(text));
        Assert.Equal((host, port), (endpoint.Host, endpoint.Port));
    }

    [Theory]
    [InlineData("unix:/run/vm1.qga")]
    [InlineData("tcp://127.0.0.1:5000")]
    [InlineData("tcp://host.example:5000")]
    [InlineData("tcp://[::1]:5000")]
    [InlineData("tcp://[fe80::1%eth0]:5000")]
    [InlineData("unix:@abstract/name")]
    [InlineData("pipe:vm 1")]
    [InlineData("serial:/dev/pts/3")]
    [InlineData("serial:/dev/ttyS0?baud=115200")]
    [InlineData("vsock:3:1234")]
    [InlineData("exec:ssh host socat - UNIX-CONNECT:/run/vm.sock")]
    [InlineData("exec:'/a b/program' '' 'it'\"'\"'s' '\"quoted\"' back\\slash")]
    public void The_text_of_an_endpoint_reads_back(string text)
    {
        var isPath = text.StartsWith("unix:", StringComparison.Ordinal);
        Assert.SkipWhen(OperatingSystem.IsWindows() && isPath, "Its path would get a drive.");
        var endpoint = EndpointGrammar.Default.Parse(text);
        Assert.Equal(text, endpoint.ToString());
        Assert.Equal(text, EndpointGrammar.Default.Parse(endpoint.ToString()).ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("unix:")]
    [InlineData("/run/a\0b")]
    [InlineData("unix:a\0b")]
    [InlineData("tcp:")]
    [InlineData("tcp:host:5000")]
    [InlineData("tcp:/host:5000")]
    [InlineData("tcp://")]
    [InlineData("tcp://:5000")]
    [InlineData("tcp://host")]
    [InlineData("tcp://host:")]
    [InlineData("tcp://host:0")]
    [InlineData("tcp://host:65536")]
    [InlineData("tcp://host:-1")]
    [InlineData("tcp://host:http")]
    [InlineData("tcp://host:5000/path")]
    [InlineData("tcp://host:5000?query")]
    [InlineData("tcp://host:5000#fragment")]
    [InlineData("tcp://user@host:5000")]
    [InlineData("tcp://user:password@host:5000")]
    [InlineData("tcp://::1:5000")]
    [InlineData("tcp://[::1:5000")]
    [InlineData("tcp://a b:5000")]
    [InlineData("unix:@")]
    [InlineData("pipe:")]
    [InlineData("pipe:a/b")]
    [InlineData(@"pipe:\\server\pipe\name")]
    [InlineData("serial:")]
    [InlineData("serial:ttyS0")]
    [InlineData("serial:?baud=9600")]
    [InlineData("serial:/dev/ttyS0?baud=")]
    [InlineData("serial:/dev/ttyS0?baud=9601")]
    [InlineData("serial:/dev/ttyS0?baud=-9600")]
    [InlineData("serial:/dev/ttyS0?speed=9600")]
    [InlineData("serial:/dev/ttyS0?baud=9600=1")]
    [InlineData("vsock:")]
    [InlineData("vsock:3")]
    [InlineData("vsock:3:x")]
    [InlineData("vsock:3:-1")]
    [InlineData("vsock:3:4294967296")]
    [InlineData("vsock:4294967295:1")]
    [InlineData("vsock:3:1:2")]
    [InlineData("exec:")]
    [InlineData("exec:  ")]
    [InlineData("exec:''")]
    [InlineData("exec:program 'open")]
    [InlineData("exec:pro\0gram")]
    public void What_is_malformed_is_met_with_the_reason_and_the_syntax(string text)
    {
        var error = Assert.Throws<GuestAgentException>(() => EndpointGrammar.Default.Parse(text));
        error.ShouldBe(ErrorCatalogue.EndpointMalformed);
        var kind = EndpointGrammar.Default.Kinds.FirstOrDefault(kind => text.StartsWith($"{kind.Scheme}:", StringComparison.Ordinal))
            ?? UnixEndpoint.Kind;
        Assert.Equal($"Write it as {kind.Syntax}.", error.RecommendedAction);
        Assert.Matches(@"is malformed: [^ .].*[^.]\.$", error.Message);
        Assert.Equal(SafeText.Escape(text), error.Target);
    }

    [Fact]
    public void A_name_of_the_abstract_namespace_is_no_path()
    {
        var endpoint = (UnixEndpoint)EndpointGrammar.Default.Parse("unix:@vm/1", _ => throw new InvalidOperationException());
        Assert.True(endpoint.IsAbstract);
        Assert.Equal("@vm/1", endpoint.SocketPath);
    }

    [Fact]
    public void A_pipe_may_be_written_as_Windows_does() =>
        Assert.Equal("vm1", ((PipeEndpoint)EndpointGrammar.Default.Parse(@"pipe:\\.\pipe\vm1")).PipeName);

    [Fact]
    public void A_port_has_the_agent_s_own_speed_unless_told() =>
        Assert.Equal(38400, ((SerialEndpoint)EndpointGrammar.Default.Parse("serial:/dev/ttyS0")).Baud);

    [Fact]
    public void A_program_s_words_are_split_as_a_shell_does_but_for_backslashes()
    {
        var endpoint = (ExecEndpoint)EndpointGrammar.Default.Parse("exec: ssh\t-o 'a \"b\"'\"c d\" C:\\dir  ''");
        Assert.Equal("ssh", endpoint.Program);
        Assert.Equal(["-o", "a \"b\"c d", "C:\\dir", ""], endpoint.Arguments);
    }

    [Fact]
    public void A_path_is_bounded_by_its_bytes()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "An absolute path is another one on Windows.");
        var longest = "/" + new string('x', 104) + "é";
        Assert.Equal(longest, ((UnixEndpoint)EndpointGrammar.Default.Parse(longest)).SocketPath);
        var error = Assert.Throws<GuestAgentException>(() => EndpointGrammar.Default.Parse(longest + "x"));
        Assert.Contains("108 bytes", error.ShouldBe(ErrorCatalogue.EndpointMalformed).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_kind_is_met_with_the_known_ones()
    {
        var error = Assert.Throws<GuestAgentException>(() => EndpointGrammar.Default.Parse("foo:name"));
        error.ShouldBe(ErrorCatalogue.EndpointKindUnknown);
        Assert.Contains("'foo:'", error.Message, StringComparison.Ordinal);
        Assert.All(EndpointGrammar.Default.Kinds,
            kind => Assert.Contains(kind.Syntax, error.RecommendedAction, StringComparison.Ordinal));
    }

    [Fact]
    public void Kinds_of_others_join_the_grammar()
    {
        var grammar = EndpointGrammar.Default.With(new EndpointKind("other", "other:name", name => new TcpEndpoint(name, 1)));
        Assert.Equal("name", ((TcpEndpoint)grammar.Parse("other:name")).Host);
        Assert.IsType<TcpEndpoint>(grammar.Parse("tcp://host:5"));
        var error = Assert.Throws<GuestAgentException>(() => grammar.Parse("foo:name"));
        Assert.Contains("other:name", error.RecommendedAction, StringComparison.Ordinal);
        Assert.Throws<GuestAgentException>(() => EndpointGrammar.Default.Parse("other:name"));
    }

    [Theory]
    [InlineData("tcp://127.0.0.1:5000", false)]
    [InlineData("tcp://127.1.2.3:5000", false)]
    [InlineData("tcp://localhost:5000", false)]
    [InlineData("tcp://[::1]:5000", false)]
    [InlineData("unix:/run/vm1.qga", false)]
    [InlineData("tcp://192.0.2.1:5000", true)]
    [InlineData("tcp://localhost.example:5000", true)]
    [InlineData("tcp://[2001:db8::1]:5000", true)]
    public void Whoever_leaves_the_machine_is_warned(string text, bool warns) =>
        Assert.Equal(warns, EndpointGrammar.Default.Parse(text).SecurityWarning is not null);
}
