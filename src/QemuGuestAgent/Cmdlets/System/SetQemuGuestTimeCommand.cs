using System.Globalization;
using System.Management.Automation;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Operations;

namespace QemuGuestAgent.Commands;

/// <summary>Sets the clock of guests: to a given time, together with the RTC, or from the RTC.</summary>
[Cmdlet(VerbsCommon.Set, "QemuGuestTime", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType("QemuGuestAgent.Time")]
[OutputType(typeof(GuestTime))]
public sealed class SetQemuGuestTimeCommand : GuestCmdlet
{
    // The agent runs hwclock, which waits for the RTC.
    private const double DefaultTimeoutSeconds = 180;

    /// <summary>Makes the cmdlet.</summary>
    public SetQemuGuestTimeCommand() => TimeoutSeconds = DefaultTimeoutSeconds;

    /// <summary>The time; without a time zone it is local time. If omitted, the clock is set from the guest's RTC, or in Windows by its time service.</summary>
    [Parameter(Position = 1)]
    public DateTime? Time { get; set; }

    /// <summary>Writes the new time.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override string Activity => "Setting clocks";

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(
        async (guest, call, cancellationToken) =>
        {
            var warning = await guest.Session.SetTimeAsync(Time, call, cancellationToken).ConfigureAwait(false);
            Action tell = () =>
            {
                if (warning is not null)
                {
                    WriteWarning($"{guest.Target.FullName}: the clock was set, but its agent says: {warning}");
                }
            };
            return PassThru
                ? tell + Output(guest, "Time", [await guest.Session.GetZonedTimeAsync(call, cancellationToken).ConfigureAwait(false)])
                : tell;
        },
        Time is { } time
            ? $"Set the clock to {time.ToUniversalTime().ToString("u", CultureInfo.InvariantCulture)}"
            : "Set the clock from its RTC, or in Windows by its time service");
}
