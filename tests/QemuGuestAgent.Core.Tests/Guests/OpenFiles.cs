using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Tests.Guests;

/// <summary>The files that a real agent holds open: a handle that was forgotten is one of them.</summary>
internal static class OpenFiles
{
    /// <summary>Where the agent's descriptors lead to.</summary>
    public static async Task<IReadOnlyList<string>> ListAsync(GuestAgentSession session)
    {
        var agent = await GuestProcess.RunAsync(
            session, new GuestProcessStart("/bin/sh") { Arguments = ["-c", "echo $PPID"] },
            cancellationToken: TestContext.Current.CancellationToken);
        string[] open = [.. Directory.GetFiles($"/proc/{agent.StandardOutput.Trim()}/fd").Select(file => new FileInfo(file).LinkTarget ?? "")];

        // Its channel at least.
        Assert.Contains(open, target => target.Length > 0);
        return open;
    }
}
