using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.EmbeddedAgent;
using static QemuGuestAgent.Core.Tests.Embedded.Texts;

namespace QemuGuestAgent.Core.Tests.Embedded;

public sealed class EmbeddedEndpointTests
{
    private static readonly EndpointGrammar Grammar = EndpointGrammar.Default.With(EmbeddedEndpoint.Kind);

    [Theory]
    [InlineData("embedded:")]
    [InlineData("embedded:reads-back_1.x")]
    [InlineData("embedded:?delay=250&silent=guest-ping,guest-info&ids=false")]
    public void Its_text_reads_back(string text) => Assert.Equal(text, Grammar.Parse(Grammar.Parse(text).ToString()).ToString());

    [Fact]
    public async Task Without_a_name_each_connect_finds_a_fresh_agent()
    {
        var endpoint = Grammar.Parse("embedded:");
        for (var i = 0; i < 2; i++)
        {
            using var client = await OpenAsync(endpoint);
            Assert.Equal("{'return': 1000}", await client.CallAsync("guest-file-open", "'path':'/etc/hostname'"));
        }
    }

    [Fact]
    public async Task A_name_is_one_agent_with_the_options_first_given()
    {
        foreach (var (text, handle) in new[] { ("?host-name=a%26b", 1000), ("", 1001), ("?host-name=a%26b", 1002) })
        {
            using var client = await OpenAsync(Grammar.Parse("embedded:named" + text));
            Assert.Equal($"{{'return': {handle}}}", await client.CallAsync("guest-file-open", "'path':'/etc/hostname'"));
            Assert.Equal("{'return': {'host-name': 'a&b'}}", await client.CallAsync("guest-get-host-name"));
        }
    }

    [Fact]
    public async Task An_agent_can_be_given_a_name()
    {
        var agent = new EmbeddedGuestAgent();
        Assert.Equal("embedded:given", EmbeddedEndpoint.Register("given", agent).ToString());
        using var client = await OpenAsync(Grammar.Parse("embedded:given"));
        Assert.Equal(Pong, await client.AskAsync(Ping));
        Assert.Equal(["guest-ping"], agent.Requests);
    }

    [Theory]
    [InlineData("version=1.2.3", "{\"execute\":\"guest-info\"}", "\"version\": \"1.2.3\"")]
    [InlineData("os=windows", "{\"execute\":\"guest-get-osinfo\"}", "mswindows")]
    [InlineData("ids=false", "{\"execute\":\"guest-ping\",\"id\":1}", "'id' is unexpected")]
    [InlineData("delimited-sync=false", "{\"execute\":\"guest-sync-delimited\"}", "has not been found")]
    [InlineData("blocked=guest-ping,guest-exec", "{\"execute\":\"guest-ping\"}", "not allowed")]
    [InlineData("delay=1&slow=guest-ping:1&boot-delay=1&chunk=7", Ping, Pong)]
    [InlineData("silent=guest-ping&endless=guest-exec", Ping + "{}", "lacks member")]
    [InlineData("sentinel-inside-reply=1", Ping, "\u00FF")]
    [InlineData("dies-mid-reply=1", Ping, "{\"retur")]
    [InlineData("echo=true", Ping, Ping)]
    public async Task Options_reach_the_agent(string query, string request, string part)
    {
        using var client = await OpenAsync(Grammar.Parse("embedded:?" + query));
        await client.SendAsync(request + "\n\u00FF");
        await client.UntilAsync(part);
    }

    [Theory]
    [InlineData("embedded:?foo=1", "its option 'foo' is not known (known: version, host-name, os, ")]
    [InlineData("embedded:?delay", "its option 'delay' has no value")]
    [InlineData("embedded:?delay=2s", "its option 'delay' is '2s', and must be a whole number")]
    [InlineData("embedded:?ids=no", "its option 'ids' is 'no', and must be true or false")]
    [InlineData("embedded:?os=dos", "its option 'os' is 'dos', and must be linux or windows")]
    [InlineData("embedded:?slow=guest-ping", "its option 'slow' is 'guest-ping', and must be command:milliseconds")]
    [InlineData("embedded:a/b", "its name contains characters other than letters, digits, '-', '_' and '.'")]
    public void A_malformed_one_says_why(string text, string reason)
    {
        var error = Assert.Throws<GuestAgentException>(() => Grammar.Parse(text));
        Assert.Equal("EndpointMalformed", error.ErrorId);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_keeps_its_options()
    {
        Grammar.Parse("embedded:kept?delay=1");
        var error = Assert.Throws<GuestAgentException>(() => Grammar.Parse("embedded:kept?delay=2"));
        Assert.Contains("the agent 'kept' already exists, with the options 'delay=1'", error.Message, StringComparison.Ordinal);
    }

    private static async Task<RawClient> OpenAsync(GuestAgentEndpoint endpoint) =>
        new(await endpoint.OpenAsync(CancellationToken.None));
}
