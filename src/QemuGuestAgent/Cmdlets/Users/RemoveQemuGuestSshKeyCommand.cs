using System.Management.Automation;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>Takes public keys from those that let users of guests in by ssh.</summary>
[Cmdlet(VerbsCommon.Remove, "QemuGuestSshKey", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class RemoveQemuGuestSshKeyCommand : SshKeyCmdlet
{
    private protected override string Describe(string user, string keys) => $"No longer let '{user}' in by {keys}";

    private protected override Task ChangeAsync(
        Guest guest, string user, IReadOnlyCollection<string> keys, CallOptions call, CancellationToken cancellationToken) =>
        guest.Session.RemoveSshKeysAsync(user, keys, call, cancellationToken);
}
