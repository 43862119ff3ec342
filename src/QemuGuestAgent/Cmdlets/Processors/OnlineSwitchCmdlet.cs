using System.Management.Automation;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>A cmdlet that takes numbered parts of guests online or offline, all of a guest's at once at the end.</summary>
public abstract class OnlineSwitchCmdlet : GuestCmdlet
{
    private readonly GatheredByGuest<ulong> _parts = new();

    /// <summary>The new state: Online or Offline.</summary>
    [Parameter(Mandatory = true)]
    public OnlineState State { get; set; }

    /// <summary>Writes what was switched, in its new state.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    // The name of a part.
    private protected abstract string Thing { get; }

    // The numbers given.
    private protected abstract ulong[] Ids { get; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => _parts.Add(FindGuests(), Ids);

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        var online = State == OnlineState.Online;
        foreach (var (given, ids) in _parts.Guests)
        {
            ForGuest(
                given,
                async (guest, call, cancellationToken) =>
                {
                    var failures = await SwitchAsync(guest.Session, ids, online, call, cancellationToken).ConfigureAwait(false);
                    return Report(guest, failures)
                        + (PassThru ? await GetAsync(guest, ids, call, cancellationToken).ConfigureAwait(false) : null);
                },
                $"Take {Thing}{(ids.Count == 1 ? "" : "s")} {string.Join(", ", ids)} {(online ? "online" : "offline")}");
        }

        base.EndProcessing();
    }

    // Gets parts, and returns what writes them.
    private protected abstract Task<Action> GetAsync(
        Guest guest, IReadOnlyList<ulong> ids, CallOptions call, CancellationToken cancellationToken);

    // Switches parts, and gives the errors of those that could not be switched.
    private protected abstract Task<IReadOnlyList<GuestAgentException>> SwitchAsync(
        GuestAgentSession channel, IReadOnlyList<ulong> ids, bool online, CallOptions call, CancellationToken cancellationToken);
}
