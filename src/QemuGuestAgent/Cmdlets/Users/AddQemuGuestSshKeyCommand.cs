using System.Management.Automation;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>Adds public keys with which users of guests can log in through ssh.</summary>
[Cmdlet(VerbsCommon.Add, "QemuGuestSshKey", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType("QemuGuestAgent.SshKey")]
[OutputType(typeof(GuestSshKey))]
public sealed class AddQemuGuestSshKeyCommand : SshKeyCmdlet
{
    /// <summary>Removes all other keys of the users.</summary>
    [Parameter]
    public SwitchParameter Reset { get; set; }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        // With -Reset it would lock the user out: a file that was not found must not do that.
        if (!HasKeys)
        {
            var users = string.Join(", ", UserName);
            WriteError(ErrorRecords.Of(ErrorCatalogue.SshKeyMissing.With(users), UserName));
        }

        base.EndProcessing();
    }

    private protected override string Describe(string user, string keys) =>
        $"Authorize {keys} for '{user}'{(Reset ? " and remove all others" : "")}";

    private protected override Task ChangeAsync(
        Guest guest, string user, IReadOnlyCollection<string> keys, CallOptions call, CancellationToken cancellationToken) =>
        guest.Session.AddSshKeysAsync(user, keys, Reset, call, cancellationToken);
}
