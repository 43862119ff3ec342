using System.Management.Automation;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Cmdlets.Look;

/// <summary>Gets the users who are logged in to guests.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestUser", DefaultParameterSetName = SessionSet)]
[OutputType("QemuGuestAgent.User")]
public sealed class GetQemuGuestUser : GuestCmdlet
{
    /// <summary>Names of users, with wildcards; all by default.</summary>
    [Parameter]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] UserName { get; set; } = ["*"];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var names = new NameFilter(UserName);
        ForEachGuest(async (guest, call, stop) => Output(
            guest,
            "User",
            (await guest.Channel.GetUsersAsync(call, stop).ConfigureAwait(false))
                .Where(found => names.Matches(found.UserName))));
    }
}
