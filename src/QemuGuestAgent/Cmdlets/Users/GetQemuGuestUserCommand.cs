using System.Management.Automation;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Commands;

/// <summary>Gets the users who are logged in to guests.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestUser", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.User")]
[OutputType(typeof(GuestUser))]
public sealed class GetQemuGuestUserCommand : GuestCmdlet
{
    /// <summary>Names of users, with wildcards; all by default.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(UserNameCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] UserName { get; set; } = ["*"];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var names = new NameFilter(UserName);
        ForEachGuest(async (guest, call, cancellationToken) => Output(
            guest,
            "User",
            (await guest.Session.GetUsersAsync(call, cancellationToken).ConfigureAwait(false))
                .Where(found => names.Matches(found.UserName))));
    }
}
