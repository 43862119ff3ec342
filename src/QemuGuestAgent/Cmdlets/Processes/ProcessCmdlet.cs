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

    /// <summary>Ids of processes in the guest; by default all that were started through the session and whose results have not been retrieved.</summary>
    [Parameter(ParameterSetName = SessionSet, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = EndpointSet, ValueFromPipelineByPropertyName = true)]
    [Alias("Pid")]
    [ArgumentCompleter(typeof(ProcessIdCompleter))]
    [ValidateRange(1, long.MaxValue)]
    public long[] Id { get; set; } = [];

    // Whether it is for all that this user started, where none is named: else only for what was started through the session.
    private protected virtual bool FindsAll => false;

    // Starts an operation on each process given; a cmdlet that changes something describes the change.
    private protected void ForEachProcess(
        Func<AgentProcess, CallOptions, CancellationToken, Task<Action>> operation, string? change = null)
    {
        if (ParameterSetName == ProcessSet)
        {
            Array.ForEach(Process, ForProcess);
            return;
        }

        // The next record may be bound before these are read.
        var ids = Id;
        foreach (var guest in FindGuests())
        {
            if (guest.Session is { } session)
            {
                Array.ForEach([.. Find(new Guest(guest, session.Core), ids)], ForProcess);
            }
            else if (ids.Length == 0 && !FindsAll)
            {
                WriteError(ErrorRecords.Of(ErrorCatalogue.ProcessNotNamed.With(guest.Text), guest));
            }
            else
            {
                ForGuest(
                    guest,
                    (of, call, cancellationToken) => EachOfAsync(of, ids, operation, call, cancellationToken),
                    change is null ? null : $"{change} {string.Join(", ", ids)}");
            }
        }

        void ForProcess(AgentProcess process)
        {
            if (change is null || ShouldProcess(process.PSGuestName, $"{change} {process}"))
            {
                StartOn(process.Guest.Target, (guest, call, cancellationToken) =>
                    operation(guest.UserSession is null ? process.Through(guest) : process, call, cancellationToken));
            }
        }
    }

    // Receives messages about the records of processes.
    private protected void Tell(string text) => Post(() => WriteWarning(text));

    private IEnumerable<AgentProcess> Find(Guest guest, long[] ids)
    {
        var known = ids.Length == 0 && !FindsAll ? guest.UserSession!.Processes.All : [.. AgentProcess.Find(guest, Tell)];
        return ids.Length == 0
            ? known
            : ids.Select(id => known.FirstOrDefault(process => process.Pid == id) ?? new AgentProcess(guest, new GuestProcess(guest.Session, id)));
    }

    // One after the other, because there is one channel; one that fails does not stop the others.
    private async Task<Action> EachOfAsync(
        Guest guest, long[] ids, Func<AgentProcess, CallOptions, CancellationToken, Task<Action>> operation, CallOptions call,
        CancellationToken cancellationToken)
    {
        var outputs = new List<Action>();
        foreach (var process in Find(guest, ids))
        {
            try
            {
                outputs.Add(await operation(process, call, cancellationToken).ConfigureAwait(false));
            }
            catch (GuestAgentException e)
            {
                outputs.Add(() => WriteError(ErrorRecords.Of(e, guest.Target)));
            }
        }

        return () => outputs.ForEach(output => output());
    }
}
