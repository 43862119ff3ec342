using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Contract;

/// <summary>The agent in this process. What stops it is its clock: before every reply it waits for a moment.</summary>
internal sealed class EmbeddedAgentPeer : AgentPeer
{
    private readonly PausableTime _time = new();
    private readonly EmbeddedGuestAgent _agent;

    public EmbeddedAgentPeer()
    {
        _agent = new EmbeddedGuestAgent(new EmbeddedGuestAgentOptions
        {
            BlockedCommands = [BlockedCommand],
            ReplyDelay = TimeSpan.FromMilliseconds(1),
            TimeProvider = _time,
        });
        Endpoint = EmbeddedEndpoint.Register($"contract-{Guid.NewGuid()}", _agent);
    }

    public override GuestAgentEndpoint Endpoint { get; }

    public override bool ChannelOutlivesBothEnds => true;

    public override string GuestPath(string name) => $"/tmp/{name}";

    public override Task StartAsync()
    {
        _time.IsPaused = false;
        _agent.Start();
        return Task.CompletedTask;
    }

    public override Task KillAsync()
    {
        _agent.Kill();
        return Task.CompletedTask;
    }

    public override Task PauseAsync()
    {
        _time.IsPaused = true;
        return Task.CompletedTask;
    }

    public override Task ResumeAsync()
    {
        _time.IsPaused = false;
        return Task.CompletedTask;
    }

    public override ValueTask DisposeAsync()
    {
        _agent.Kill();
        return ValueTask.CompletedTask;
    }
}
