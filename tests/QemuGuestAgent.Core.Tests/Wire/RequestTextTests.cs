using System.Buffers;
using System.Text;
using System.Text.Json;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Tests.Wire;

public sealed class RequestTextTests
{
    [Theory]
    [InlineData("""{"path":"/etc/hostname","mode":"r"}""")]
    [InlineData("""{"a":[1,-2,18446744073709551615,1.5,true,false,null,"\u00E4",{"b":{}},[]]}""")]
    [InlineData("{}")]
    public void Arguments_arrive_as_they_are_written(string json) =>
        Assert.Equal(Normal(json), Written(RequestText.ReadArguments("  " + json)));

    [Fact]
    public void A_request_is_a_command_with_arguments()
    {
        var (command, arguments) = RequestText.ReadRequest("""{"execute":"guest-file-open","arguments":{"path":"/x"}}""");
        Assert.Equal(("guest-file-open", """{"path":"/x"}"""), (command, Written(arguments)));
        Assert.Equal(("guest-ping", null), RequestText.ReadRequest("""{"execute":"guest-ping"}"""));
    }

    [Theory]
    [InlineData("""{"execute":"guest-ping","id":1}""", "'id'")]
    [InlineData("""{"arguments":{}}""", "execute")]
    [InlineData("""{"execute":7}""", "execute")]
    [InlineData("""{"execute":"guest-ping"}}""", "")]
    [InlineData("""{"execute":"guest-ping",""", "")]
    [InlineData("""{"execute":"guest-ping","execute":"guest-info"}""", "'execute'")]
    [InlineData("[1]", "object")]
    [InlineData("""{"execute":"\ud800"}""", "")]
    public void What_is_no_request_is_refused_with_the_reason(string text, string reason)
    {
        var error = Assert.Throws<GuestAgentException>(() => RequestText.ReadRequest(text)).ShouldBe(ErrorCatalogue.RequestTextInvalid);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    private static string Written(object? arguments)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            ArgumentWriter.Prepare("guest-x", arguments)!(writer);
        }

        return Normal(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    private static string Normal(string json) => JsonSerializer.Serialize(JsonDocument.Parse(json).RootElement);
}
