using System.Management.Automation;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Cmdlets.Change;

/// <summary>Gets the public keys that let users of guests in by ssh.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestSshKey", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.SshKey")]
public sealed class GetQemuGuestSshKey : GuestCmdlet
{
    /// <summary>The users.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string[] UserName { get; set; } = [];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var user in UserName)
        {
            ForEachGuest(async (guest, call, stop) =>
                Output(guest, "SshKey", await guest.Channel.GetSshKeysAsync(user, call, stop).ConfigureAwait(false)));
        }
    }
}
