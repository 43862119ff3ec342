using System.Management.Automation;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Operations;

namespace QemuGuestAgent.Commands;

/// <summary>
/// Returns unused blocks of the file systems of guests to their disks (fstrim). It writes one object for each mount point. A file
/// system that cannot be trimmed is an error. It may take a long time, during which the agent answers nothing else.
/// </summary>
[Cmdlet(VerbsCommon.Optimize, "QemuGuestFileSystem", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType("QemuGuestAgent.FileSystemTrim")]
[OutputType(typeof(GuestTrimResult))]
public sealed class OptimizeQemuGuestFileSystemCommand : GuestCmdlet
{
    private const double DefaultTimeoutSeconds = 3600;

    /// <summary>Makes the cmdlet.</summary>
    public OptimizeQemuGuestFileSystemCommand() => TimeoutSeconds = DefaultTimeoutSeconds;

    /// <summary>The shortest free range to trim, in bytes: a larger value is faster. By default all free ranges are trimmed.</summary>
    [Parameter]
    [ValidateRange(0L, long.MaxValue)]
    public long? Minimum { get; set; }

    private protected override string Activity => "Trimming file systems";

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(
        async (guest, call, cancellationToken) =>
        {
            var report = await guest.Session.TrimAsync(Minimum, call, cancellationToken).ConfigureAwait(false);
            return Output(guest, "FileSystemTrim", report.Trimmed) + Report(guest, report.Failures) + (() =>
            {
                if (report.MinimumIgnored)
                {
                    WriteWarning($"{guest.Target.FullName}: -Minimum does not count in a Windows guest: all free ranges were trimmed.");
                }
            });
        },
        "Trim the file systems");
}
