using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Tests.Contract;

/// <summary>An agent that the client is held against, and how its channel behaves.</summary>
public abstract class AgentPeer : IAsyncDisposable
{
    /// <summary>A command that the agent's policy does not allow; it would do no harm.</summary>
    public const string BlockedCommand = "guest-get-users";

    /// <summary>Where the agent is.</summary>
    public abstract GuestAgentEndpoint Endpoint { get; }

    /// <summary>
    /// Whether the channel outlives clients and agents: what a client leaves behind reaches the next one, and the agent's
    /// death is silence. If not, the channel is the agent's own: what a client leaves is lost, and the agent's death closes it.
    /// </summary>
    public abstract bool ChannelOutlivesBothEnds { get; }

    /// <summary>Whether a request that an agent has not read when it dies is sure to be answered by the next.</summary>
    public virtual bool NextAgentAnswersTheUnread => false;

    /// <summary>Whether a second client hears nothing until the first has left. If not, the two share what comes.</summary>
    public virtual bool ServesOneClient => true;

    /// <summary>Whether its guest is a Windows.</summary>
    public virtual bool IsWindows => false;

    /// <summary>A path for a file in the guest, which the test may make.</summary>
    public abstract string GuestPath(string name);

    /// <summary>Starts the agent, after a kill.</summary>
    public abstract Task StartAsync();

    /// <summary>The agent dies, whatever it is at.</summary>
    public abstract Task KillAsync();

    /// <summary>The agent does nothing until resumed.</summary>
    public abstract Task PauseAsync();

    /// <summary>The agent goes on where it was.</summary>
    public abstract Task ResumeAsync();

    /// <summary>Waits until the channel knows that as many more clients have left.</summary>
    public virtual Task WaitForLeavingAsync(int clients) => Task.CompletedTask;

    /// <summary>Connects a session.</summary>
    public virtual Task<GuestAgentSession> ConnectAsync(GuestAgentEndpoint? endpoint = null, CallOptions? options = null) =>
        GuestAgentSession.ConnectAsync(
            endpoint ?? Endpoint, call: options, cancellationToken: TestContext.Current.CancellationToken);

    /// <summary>Connects a client that writes and reads bytes as they are.</summary>
    public async Task<RawClient> ConnectRawAsync() => new(await Endpoint.OpenAsync(TestContext.Current.CancellationToken));

    public abstract ValueTask DisposeAsync();
}
