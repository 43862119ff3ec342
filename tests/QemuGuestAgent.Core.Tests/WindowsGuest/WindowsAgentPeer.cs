using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Tests.Contract;

namespace QemuGuestAgent.Core.Tests.WindowsGuest;

/// <summary>The real agent in the Windows guest.</summary>
internal sealed class WindowsAgentPeer : AgentPeer
{
    private static readonly string[] Policy = [$"--block-rpcs={BlockedCommand}"];

    private readonly WindowsMachine _guest;
    private readonly string _folder = $@"C:\tests\{Guid.NewGuid():N}";

    private WindowsAgentPeer(WindowsMachine guest) => _guest = guest;

    public override GuestAgentEndpoint Endpoint => _guest.Endpoint;

    public override bool ChannelOutlivesBothEnds => true;

    public override bool NextAgentAnswersTheUnread => true;

    public override bool IsWindows => true;

    public static async Task<WindowsAgentPeer> StartAsync(WindowsGuestFixture fixture)
    {
        var peer = new WindowsAgentPeer(await fixture.UseAsync(Policy));
        Directory.CreateDirectory(peer._guest.HostPath(peer._folder));

        // What the test before has left in the channel is none of this one's business.
        (await peer.ConnectAsync()).Dispose();
        return peer;
    }

    public override string GuestPath(string name) => $@"{_folder}\{name}";

    public override Task StartAsync() => _guest.StartAgentAsync(Policy);

    public override Task KillAsync() => _guest.KillAgentAsync();

    public override Task PauseAsync() => _guest.PauseAgentAsync();

    public override Task ResumeAsync() => _guest.ResumeAgentAsync();

    // The agent is the next test's.
    public override async ValueTask DisposeAsync() => await _guest.ResumeAgentAsync();
}
