using System.Management.Automation;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>Removes public keys with which users of guests can log in through ssh.</summary>
[Cmdlet(VerbsCommon.Remove, "QemuGuestSshKey", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType("QemuGuestAgent.SshKey")]
[OutputType(typeof(GuestSshKey))]
public sealed class RemoveQemuGuestSshKeyCommand : SshKeyCmdlet
{
    private protected override string Describe(string user, string keys) => $"Remove {keys} of '{user}'";

    private protected override Task ChangeAsync(
        Guest guest, string user, IReadOnlyCollection<string> keys, CallOptions call, CancellationToken cancellationToken) =>
        guest.Session.RemoveSshKeysAsync(user, keys, call, cancellationToken);
}
