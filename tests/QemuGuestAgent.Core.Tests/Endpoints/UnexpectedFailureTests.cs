using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;

namespace QemuGuestAgent.Core.Tests.Endpoints;

/// <summary>What a connector does not expect is an error of the catalogue too.</summary>
public sealed class UnexpectedFailureTests
{
    [Theory]
    [InlineData(typeof(TimeoutException))]
    [InlineData(typeof(PlatformNotSupportedException))]
    [InlineData(typeof(DllNotFoundException))]
    [InlineData(typeof(UnauthorizedAccessException))]
    public async Task Whatever_opening_fails_with_is_told_and_kept(Type type)
    {
        var failure = (Exception)Activator.CreateInstance(type, "the reason")!;
        var endpoint = new ScriptedPeer { Opening = _ => throw failure };
        var error = await endpoint.Connect().FailsWith(ErrorCatalogue.EndpointUnreachable);
        Assert.Contains("the reason", error.Message, StringComparison.Ordinal);
        Assert.Same(failure, error.InnerException);
        Assert.Same(endpoint, error.Target);
    }

    [Fact]
    public async Task Opening_anew_fails_in_the_same_way_and_the_session_says_why()
    {
        var dialogue = await Dialogue.StartAsync();
        dialogue.Peer.Close();
        await dialogue.Ask("guest-ping").FailsWith(ErrorCatalogue.ConnectionLost);
        dialogue.Endpoint.Opening = _ => throw new TimeoutException("late");
        await dialogue.Session.Sync().FailsWith(ErrorCatalogue.EndpointUnreachable);
        Assert.Equal(GuestAgentSessionState.Faulted, dialogue.Session.State);
    }
}
