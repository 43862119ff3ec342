using System.Management.Automation;
using QemuGuestAgent.Core.Operations;

namespace QemuGuestAgent.Cmdlets.Process;

/// <summary>Starts a program in guests and does not wait for it.</summary>
[Cmdlet(VerbsLifecycle.Start, "QemuGuestProcess", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType(typeof(AgentProcess))]
public sealed class StartQemuGuestProcess : ProgramCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachGuest(
        async (guest, call, stop) =>
        {
            var core = await GuestProcess.StartAsync(guest.Channel, Program, call, stop).ConfigureAwait(false);
            var process = new AgentProcess(guest, core, DateTime.Now);
            guest.Session?.Processes.Add(process);
            var isHandedOver = false;
            try
            {
                await SayAsync(
                    () =>
                    {
                        isHandedOver = !Stopping;
                        WriteObject(process);
                    },
                    stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!isHandedOver)
            {
                // Nobody knows of it: it would run unseen.
                await core.TryStopAsync().ConfigureAwait(false);
                guest.Session?.Processes.Remove(process);
                throw;
            }

            return () => { };
        },
        $"start {FilePath}");
}
