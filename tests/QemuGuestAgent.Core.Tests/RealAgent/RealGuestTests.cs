using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Contract;

namespace QemuGuestAgent.Core.Tests.RealAgent;

/// <summary>Tests in the guest of a real agent, which is this machine: each test has an agent and a session with it.</summary>
public abstract class RealGuestTests : IAsyncLifetime
{
    private protected AgentPeer Agent { get; private set; } = null!;

    private protected GuestAgentSession Session { get; set; } = null!;

    private protected static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    public virtual async ValueTask InitializeAsync()
    {
        Agent = await StartAgentAsync();
        Session = await Agent.ConnectAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Session?.Dispose();
        if (Agent is not null)
        {
            await Agent.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Starts a fresh agent for one test, or skips the test where there is none.</summary>
    protected virtual async Task<AgentPeer> StartAgentAsync() => await ListeningAgent.StartAsync(Binary());

    private protected virtual RealAgentBinary Binary() => RealAgentBinary.Installed();
}
