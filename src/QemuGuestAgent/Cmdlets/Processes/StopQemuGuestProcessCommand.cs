using System.Management.Automation;

namespace QemuGuestAgent.Commands;

/// <summary>Kills processes in guests, with their child processes.</summary>
[Cmdlet(VerbsLifecycle.Stop, "QemuGuestProcess", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType(typeof(AgentProcess))]
public sealed class StopQemuGuestProcessCommand : ProcessCmdlet
{
    /// <summary>Writes the processes.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEachProcess(
        async (process, call, cancellationToken) =>
        {
            await process.AskAsync(
                async () =>
                {
                    await process.Core.StopAsync(call, cancellationToken).ConfigureAwait(false);
                    return process.Core.Result;
                },
                Tell).ConfigureAwait(false);
            process.Keep(Tell);
            return () =>
            {
                if (PassThru)
                {
                    WriteObject(process);
                }
            };
        },
        "stop process");
}
