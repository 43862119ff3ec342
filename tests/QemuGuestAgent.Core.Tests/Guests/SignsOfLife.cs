using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Guests;

/// <summary>The host's signs of life, seen from the guest, which is this machine.</summary>
internal static class SignsOfLife
{
    /// <summary>With signs that follow each other fast, and minutes until a host is gone, however slow this machine is.</summary>
    public static HostWatch Watch { get; } = new(TimeSpan.FromSeconds(0.1), TimeSpan.FromSeconds(0.05), 6000);

    /// <summary>Waits until the guest has taken two signs.</summary>
    /// <param name="processId">The process that writes to one of its files.</param>
    public static async Task SeenAsync(string processId)
    {
        // The host makes this file, and the guest removes it when it looks.
        var sign = Path.Combine(Path.GetDirectoryName(new FileInfo($"/proc/{processId}/fd/1").LinkTarget!)!, "beat");
        for (var i = 0; i < 2; i++)
        {
            await Poll.UntilAsync(() => File.Exists(sign), "a sign of life");
            await Poll.UntilAsync(() => !File.Exists(sign), "the guest's look for it");
        }
    }
}
