using System.Management.Automation;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Commands;

/// <summary>Gets the mounted file systems of guests, with their sizes and how full they are.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestFileSystem", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.FileSystem")]
[OutputType(typeof(GuestFileSystem))]
public sealed class GetQemuGuestFileSystemCommand : GuestCmdlet
{
    /// <summary>Mount points, with wildcards; all by default.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(MountPointCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] MountPoint { get; set; } = ["*"];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var names = new NameFilter(MountPoint);
        ForEachGuest(async (guest, call, cancellationToken) => Output(
            guest,
            "FileSystem",
            (await guest.Session.GetFileSystemsAsync(call, cancellationToken).ConfigureAwait(false))
                .Where(found => names.Matches(found.MountPoint))));
    }
}
