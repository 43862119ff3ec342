using QemuGuestAgent.Core.Tests.Contract;

namespace QemuGuestAgent.Core.Tests.RealAgent;

/// <summary>A real qemu-ga on this machine, in a folder of its own.</summary>
internal abstract class RealAgentPeer : AgentPeer
{
    private protected RealAgentPeer(RealAgentBinary binary, string method, Func<LabFolder, string> path)
    {
        Folder = new LabFolder();
        Process = new AgentProcess(binary, Folder, method, path(Folder));
        TestContext.Current.TestOutputHelper?.WriteLine($"The agent is {binary}.");
    }

    protected LabFolder Folder { get; }

    protected AgentProcess Process { get; }

    public override bool NextAgentAnswersTheUnread => ChannelOutlivesBothEnds;

    public override string GuestPath(string name) => Folder.Combine(name);

    public override Task StartAsync()
    {
        Process.Start();
        return Task.CompletedTask;
    }

    public override Task KillAsync() => Process.SignalAsync(Signal.Kill);

    public override Task PauseAsync() => Process.SignalAsync(Signal.Stop);

    public override Task ResumeAsync() => Process.SignalAsync(Signal.Continue);

    public override ValueTask DisposeAsync()
    {
        Process.Dispose();
        TestContext.Current.TestOutputHelper?.WriteLine(Process.Log);
        Folder.Dispose();
        return ValueTask.CompletedTask;
    }
}
