using System.Management.Automation;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Commands;

/// <summary>
/// Gives the blocks that the file systems of guests do not use back to their disks (fstrim). One object a mount point; a file
/// system that cannot be trimmed is an error. It may take long: the agent answers nothing else meanwhile.
/// </summary>
[Cmdlet(VerbsCommon.Optimize, "QemuGuestFileSystem", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType("QemuGuestAgent.FileSystemTrim")]
public sealed class OptimizeQemuGuestFileSystemCommand : GuestCmdlet
{
    private const double DefaultTimeoutSeconds = 3600;

    /// <summary>Makes the cmdlet.</summary>
    public OptimizeQemuGuestFileSystemCommand() => TimeoutSeconds = DefaultTimeoutSeconds;

    /// <summary>The shortest free range worth giving back, in bytes: the larger, the sooner done. By default all are.</summary>
    [Parameter]
    [ValidateRange(0L, long.MaxValue)]
    public long? Minimum { get; set; }

    private protected override string Activity => "Trimming file systems";

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(
        async (guest, call, cancellationToken) =>
        {
            var report = await guest.Session.TrimFileSystemsAsync(Minimum, call, cancellationToken).ConfigureAwait(false);
            return Output(guest, "FileSystemTrim", report.Trimmed) + Report(report.Failures);
        },
        "Trim the file systems");
}
