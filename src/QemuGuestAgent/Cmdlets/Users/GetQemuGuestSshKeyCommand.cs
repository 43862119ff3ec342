using System.Management.Automation;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Commands;

/// <summary>Gets the public keys with which users of guests can log in through ssh.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestSshKey", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.SshKey")]
[OutputType(typeof(GuestSshKey))]
public sealed class GetQemuGuestSshKeyCommand : GuestCmdlet
{
    /// <summary>The users.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(UserNameCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] UserName { get; set; } = [];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var guest in FindGuests())
        {
            foreach (var user in UserName)
            {
                ForGuest(guest, async (of, call, cancellationToken) =>
                    Output(of, "SshKey", await of.Session.GetSshKeysAsync(user, call, cancellationToken).ConfigureAwait(false)));
            }
        }
    }
}
