using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;

namespace QemuGuestAgent.Core.Tests.Guests;

/// <summary>The time of an operation of several commands.</summary>
public sealed class OperationTimeTests
{
    private static readonly TimeSpan Given = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData("rest")]
    [InlineData("attempt")]
    [InlineData("command")]
    [InlineData("part of a part")]
    public async Task An_error_of_a_command_that_got_the_last_of_it_tells_what_the_user_gave(string kind)
    {
        using var dialogue = await Dialogue.StartAsync();
        var time = new OperationTime(dialogue.Time, new CallOptions { Timeout = Given });
        dialogue.Time.Advance(Given);
        var call = kind switch
        {
            "rest" => time.Rest(),
            "attempt" => time.Attempt(TimeSpan.FromSeconds(30)),
            "command" => time.Command(),
            _ => new OperationTime(dialogue.Time, time.Rest()).Rest(),
        };
        var asking = dialogue.Session.Ask("guest-ping", call);
        await dialogue.Peer.ReadAsync();
        dialogue.Time.Advance(Given);
        var error = await asking.FailsWith(ErrorCatalogue.CommandTimedOut);
        Assert.Contains("within 5 seconds", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_attempt_that_is_repeated_tells_its_own_time()
    {
        using var dialogue = await Dialogue.StartAsync();
        var time = new OperationTime(dialogue.Time, new CallOptions { Timeout = Given });
        var asking = dialogue.Session.Ask("guest-ping", time.Attempt(TimeSpan.FromSeconds(2)));
        await dialogue.Peer.ReadAsync();
        dialogue.Time.Advance(Given);
        Assert.Contains("within 2 seconds", (await asking.FailsWith(ErrorCatalogue.CommandTimedOut)).Message, StringComparison.Ordinal);
    }
}
