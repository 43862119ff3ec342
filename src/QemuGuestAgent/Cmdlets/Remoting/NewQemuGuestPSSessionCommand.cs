#if NET
using System.Collections.Concurrent;
#endif
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using QemuGuestAgent.Completion;
#if NET
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Session;
#endif
using QemuGuestAgent.Remoting;

namespace QemuGuestAgent.Commands;

/// <summary>
/// Opens PowerShell sessions in guests without a network, for Invoke-Command, Enter-PSSession, Copy-Item, Import-PSSession and
/// everything else that takes a PSSession.
/// </summary>
[Cmdlet(VerbsCommon.New, "QemuGuestPSSession", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType(typeof(PSSession))]
public sealed class NewQemuGuestPSSessionCommand : GuestCmdlet
{
#if NET
    // Opened, but not handed over yet: they must be closed here if the pipeline is stopped now.
    private readonly ConcurrentDictionary<Runspace, bool> _unwritten = new();
#endif

    /// <summary>A name for each session, as Get-PSSession shows it; by default the name of the guest.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = [];

    /// <summary>
    /// The path of a PowerShell in the guest; a name without a slash is searched for on the agent's PATH. By default PowerShell 7 (pwsh), and in
    /// Windows guests Windows PowerShell 5.1 (powershell.exe).
    /// </summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ShellPath { get; set; }

    /// <summary>The user in the guest to run it as; by default the user that the agent runs as, which is normally root. Not in Windows guests.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(UserNameCompleter))]
    [ValidateNotNullOrEmpty]
    public string? UserName { get; set; }

    private protected override string? Activity => "Opening PowerShell sessions in guests";

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        if (RemotingSupport.WhyNot(this) is { } error)
        {
            ThrowTerminatingError(ErrorRecords.Of(error, error.Target!));
        }
    }

#if NET
    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var guests = FindGuests();
        if (Name.Length > 0 && Name.Length != guests.Count)
        {
            ThrowTerminatingError(ErrorRecords.Of(ErrorCatalogue.SessionNamesMismatch.WithTarget(Name, Name.Length, guests.Count), Name));
        }

        for (var i = 0; i < guests.Count; i++)
        {
            Start(guests[i], Name.Length > 0 ? Name[i] : guests[i].Name);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        foreach (var runspace in _unwritten.Keys)
        {
            runspace.Dispose();
        }
    }

    private void Start(GuestTarget guest, string name)
    {
        if (!ShouldProcess(guest.Text, "open a PowerShell session"))
        {
            return;
        }

        var ownsSession = guest.Session is null;
        StartInOrder(guest, async (call, cancellationToken) =>
        {
            var time = new OperationTime(TimeProvider.System, call);
            var session = guest.Session ?? new AgentSession(
                guest.Name, await GuestAgentSession.ConnectAsync(guest.Endpoint!, null, call, cancellationToken).ConfigureAwait(false));
            var runspace = await new GuestRunspace(session, ownsSession, Host) { UserName = UserName }
                .OpenAsync(guest.Name, name, ShellPath, time, cancellationToken).ConfigureAwait(false);
            _unwritten.TryAdd(runspace, true);
            return () =>
            {
                if (ownsSession)
                {
                    SessionRegistry.OfThisRunspace.Add(session);
                }

                var opened = EngineTypes.CreateSession(runspace, this);
                _unwritten.TryRemove(runspace, out _);
                WriteObject(opened);
            };
        });
    }
#endif
}
