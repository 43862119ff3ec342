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
    public void What_is_malformed_is_met_with_the_reason_and_the_syntax(string text)
    {
        var error = Assert.Throws<GuestAgentException>(() => EndpointGrammar.Default.Parse(text));
        error.Is(ErrorCatalogue.EndpointMalformed);
        var syntax = text.StartsWith("tcp", StringComparison.Ordinal) ? TcpEndpoint.Kind.Syntax : UnixEndpoint.Kind.Syntax;
        Assert.Equal($"Write it as {syntax}.", error.RecommendedAction);
        Assert.Matches(@"is malformed: [^ .].*[^.]\.$", error.Message);
        Assert.Equal(text, error.Target);
    }

    [Fact]
    public void A_path_is_bounded_by_its_bytes()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "An absolute path is another one on Windows.");
        var longest = "/" + new string('x', 104) + "é";
        Assert.Equal(longest, ((UnixEndpoint)EndpointGrammar.Default.Parse(longest)).SocketPath);
        var error = Assert.Throws<GuestAgentException>(() => EndpointGrammar.Default.Parse(longest + "x"));
        Assert.Contains("108 bytes", error.Is(ErrorCatalogue.EndpointMalformed).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_kind_is_met_with_the_known_ones()
    {
        var error = Assert.Throws<GuestAgentException>(() => EndpointGrammar.Default.Parse("pipe:name"));
        error.Is(ErrorCatalogue.EndpointKindUnknown);
        Assert.Contains("'pipe:'", error.Message, StringComparison.Ordinal);
        Assert.All(EndpointGrammar.Default.Kinds,
            kind => Assert.Contains(kind.Syntax, error.RecommendedAction, StringComparison.Ordinal));
    }

    [Fact]
    public void Kinds_of_others_join_the_grammar()
    {
        var grammar = EndpointGrammar.Default.With(new EndpointKind("other", "other:name", name => new TcpEndpoint(name, 1)));
        Assert.Equal("name", ((TcpEndpoint)grammar.Parse("other:name")).Host);
        Assert.IsType<TcpEndpoint>(grammar.Parse("tcp://host:5"));
        var error = Assert.Throws<GuestAgentException>(() => grammar.Parse("pipe:name"));
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
