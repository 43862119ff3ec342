using System.Management.Automation;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations;

namespace QemuGuestAgent.Commands;

/// <summary>Sets the password of a user of guests.</summary>
[Cmdlet(VerbsCommon.Set, "QemuGuestUserPassword", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class SetQemuGuestUserPasswordCommand : GuestCmdlet
{
    private GuestPassword? _password;

    /// <summary>The user in the guest, and the new password.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [Credential]
    [ValidateNotNull]
    public PSCredential Credential { get; set; } = PSCredential.Empty;

    /// <summary>
    /// The password of -Credential is a hash as the guest stores it (crypt, such as $6$…). Windows guests do not accept hashes.
    /// </summary>
    [Parameter]
    public SwitchParameter Crypted { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        try
        {
            _password = Secret.ToPassword(Credential.Password, Crypted);
        }
        catch (GuestAgentException e)
        {
            ThrowTerminatingError(ErrorRecords.Of(e, Credential.UserName));
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        // Windows PowerShell puts a backslash before a name without a domain.
        var user = Credential.UserName.TrimStart('\\');
        ForEachGuest(
            async (guest, call, cancellationToken) =>
            {
                await guest.Session.ChangePasswordAsync(user, _password!, call, cancellationToken).ConfigureAwait(false);
                return () => { };
            },
            $"Set the password of '{user}'");
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        // First the operations that still use it end.
        base.Dispose(disposing);
        _password?.Dispose();
    }
}
