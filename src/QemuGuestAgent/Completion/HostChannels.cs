using QemuGuestAgent.Core.Endpoints.Finding;

namespace QemuGuestAgent.Completion;

/// <summary>The channels on this host that the user may trust, as far as they are found at once.</summary>
internal static class HostChannels
{
    // A libvirt that does not answer must not block the prompt.
    private static readonly TimeSpan NoReplyWait = TimeSpan.FromMilliseconds(300);

    public static IEnumerable<FoundChannel> Find()
    {
        var finding = Task.Run(() => new ChannelFinder().Find());
        var found = Task.WaitAny([finding], NoReplyWait) == 0 && finding.Status == TaskStatus.RanToCompletion ? finding.Result : [];
        return found.Where(channel => channel.IsTrusted);
    }
}
