using System.Management.Automation;
using QemuGuestAgent.Core.Guests.Processes;

namespace QemuGuestAgent.Commands;

/// <summary>Starts a program in guests and does not wait for it.</summary>
[Cmdlet(VerbsLifecycle.Start, "QemuGuestProcess", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType(typeof(AgentProcess))]
public sealed class StartQemuGuestProcessCommand : ProgramCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(
        async (guest, call, cancellationToken) =>
        {
            var core = await GuestProcess.StartAsync(guest.Session, Program, call, cancellationToken).ConfigureAwait(false);
            var process = new AgentProcess(guest, core, DateTime.Now);
            guest.UserSession?.Processes.Add(process);
            var isHandedOver = false;
            try
            {
                await SendAsync(
                    () =>
                    {
                        isHandedOver = !Stopping;
                        WriteObject(process);
                    },
                    cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!isHandedOver)
            {
                // The caller never learns its id: it would run unnoticed.
                await core.TryStopAsync().ConfigureAwait(false);
                guest.UserSession?.Processes.Remove(process);
                throw;
            }

            return () => { };
        },
        $"start {FilePath}");
}
