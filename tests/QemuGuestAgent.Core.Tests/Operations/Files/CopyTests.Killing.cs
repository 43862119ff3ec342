using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

// An agent that dies in the midst of a copy.
public abstract partial class CopyTests
{
    [Theory]
    [InlineData(true, 3)]
    [InlineData(true, 12)]
    [InlineData(true, 30)]
    [InlineData(true, 48)]
    [InlineData(false, 3)]
    [InlineData(false, 12)]
    [InlineData(false, 30)]
    [InlineData(false, 46)]
    public async Task An_agent_that_is_killed_leaves_the_target_absent_or_whole_and_resume_leaves_nothing_else(bool sends, int command)
    {
        var content = Bytes(80 * Piece);
        var (source, folder) = sends ? (MakeLocal("file", content), Guest) : (MakeGuest("file", content), Local);
        var target = Path.Combine(folder, "file");
        var left = command;
        var killing = Task.CompletedTask;
        var call = new CallOptions
        {
            Timeout = TimeSpan.Zero,
            Trace = happened =>
            {
                if (happened.Kind == TraceKind.Sent && --left == 0)
                {
                    killing = Agent.KillAsync();
                }
            },
        };
        var options = Options with { PieceBytes = Piece };
        var copying = sends
            ? GuestItems.SendAsync(Session, [source], folder, options, call, TestEnd)
            : GuestItems.ReceiveAsync(Session, [source], true, folder, options, call, TestEnd);
        await copying.FailsWith(ErrorCatalogue.ConnectionLost);
        Assert.InRange(left, int.MinValue, 0);
        await killing;
        Assert.False(File.Exists(target));
        Session.Dispose();
        await Agent.StartAsync();
        Session = await Agent.ConnectAsync();
        await CopyAsync(sends, source, folder, Options with { Resume = true });
        AssertSame(content, target);
        Assert.Single(_copies);
        await AssertNothingLeftAsync();
    }
}
