using System.Management.Automation;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>Starts a program in guests and does not wait for it.</summary>
[Cmdlet(VerbsLifecycle.Start, "QemuGuestProcess", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType(typeof(AgentProcess))]
public sealed class StartQemuGuestProcessCommand : ProgramCmdlet
{
    /// <summary>
    /// The path of a new file in the guest for its standard output, which can be read while it runs: Get-QemuGuestContent -Wait. By default the
    /// agent keeps the output for Wait-QemuGuestProcess, up to 16 MiB. Not in Windows guests.
    /// </summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? RedirectStandardOutput { get; set; }

    /// <summary>The path of a new file in the guest for its standard error. Not in Windows guests.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? RedirectStandardError { get; set; }

    private protected override GuestProcessStart Completed(GuestProcessStart program) =>
        program with { OutputPath = RedirectStandardOutput, ErrorPath = RedirectStandardError };

    private protected override string Change => "start";

    private protected override async Task<Action> RunAsync(
        Guest guest, GuestProcessStart program, CallOptions call, CancellationToken cancellationToken)
    {
        var core = await GuestProcess.StartAsync(guest.Session, program, call, cancellationToken).ConfigureAwait(false);
        var process = new AgentProcess(guest, core, DateTime.Now);
        guest.UserSession?.Processes.Add(process);
        process.Keep(text => Post(() => WriteWarning(text)));
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
            process.Forget(_ => { });
            throw;
        }

        return () => { };
    }
}
