using System.Management.Automation;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>A cmdlet that works on processes that were started in guests.</summary>
public abstract class ProcessCmdlet : GuestCmdlet
{
    internal const string ProcessSet = "Process";

    /// <summary>The processes, as Start-QemuGuestProcess writes them.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = ProcessSet, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public AgentProcess[] Process { get; set; } = [];

    /// <summary>Ids of processes in the guest; by default all that were started through the session and are not known to have ended.</summary>
    [Parameter(ParameterSetName = SessionSet)]
    [Parameter(Mandatory = true, ParameterSetName = EndpointSet)]
    [Alias("Pid")]
    [ArgumentCompleter(typeof(ProcessIdCompleter))]
    [ValidateRange(1, long.MaxValue)]
    public long[] Id { get; set; } = [];

    // Starts an operation on each process given; a cmdlet that changes something describes the change.
    private protected void ForEachProcess(
        Func<AgentProcess, CallOptions, CancellationToken, Task<Action>> operation, string? change = null)
    {
        if (ParameterSetName == EndpointSet)
        {
            ForEachGuest(
                (guest, call, cancellationToken) => EachOfAsync(guest, operation, call, cancellationToken),
                change is null ? null : $"{change} {string.Join(", ", Id)}");
            return;
        }

        foreach (var process in ParameterSetName == ProcessSet ? Process : Session.SelectMany(Find))
        {
            if (change is null || ShouldProcess(process.PSGuestName, $"{change} {process}"))
            {
                Start(process, process.PSGuestName, (call, cancellationToken) => operation(process, call, cancellationToken));
            }
        }
    }

    // Writes how a process ended.
    private protected Action Output(AgentProcess process, GuestProcessResult result)
    {
        process.Guest.UserSession?.Processes.Remove(process);
        return Output(process.Guest, "ProcessResult", [result]);
    }

    private IEnumerable<AgentProcess> Find(AgentSession session)
    {
        var known = session.Processes.All;
        return Id.Length == 0
            ? known
            : Id.Select(id => known.FirstOrDefault(process => process.Pid == id)
                ?? new AgentProcess(new Guest(session.Name, session.Core, session), new GuestProcess(session.Core, id)));
    }

    // One after the other, because there is one channel; one that fails does not stop the others.
    private async Task<Action> EachOfAsync(
        Guest guest, Func<AgentProcess, CallOptions, CancellationToken, Task<Action>> operation, CallOptions call,
        CancellationToken cancellationToken)
    {
        var outputs = new List<Action>();
        foreach (var id in Id)
        {
            var process = new AgentProcess(guest, new GuestProcess(guest.Session, id));
            try
            {
                outputs.Add(await operation(process, call, cancellationToken).ConfigureAwait(false));
            }
            catch (GuestAgentException e)
            {
                outputs.Add(() => WriteError(ErrorRecords.Of(e, process)));
            }
        }

        return () => outputs.ForEach(output => output());
    }
}
