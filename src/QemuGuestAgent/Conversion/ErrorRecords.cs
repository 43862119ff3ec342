using System.Management.Automation;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent;

/// <summary>Converts the catalogue's errors to error records.</summary>
internal static class ErrorRecords
{
    /// <summary>An error that is no guest's, as PowerShell shows it.</summary>
    /// <param name="error">What happened.</param>
    /// <param name="target">What it happened to.</param>
    public static ErrorRecord Of(GuestAgentException error, object target) => Of(error, target, error.Message);

    /// <summary>
    /// The error of a guest: the message and PSGuestName say whose it is, and the target is the session, or the endpoint as given.
    /// </summary>
    public static ErrorRecord Of(GuestAgentException error, GuestTarget guest)
    {
        string[] names = guest.Session is null ? [guest.Name, guest.Text, $"{guest.Endpoint}"] : [guest.Name];
        return WithGuest(Of(error, guest.ErrorTarget, names.Any(name => error.Message.Contains($"'{SafeText.Escape(name)}'"))
            ? error.Message
            : $"{SafeText.Escape(guest.FullName)}: {error.Message}"), guest.Name);
    }

    /// <summary>A record with the guest's name, which type data shows as its PSGuestName: the properties of a record are gone in 'catch'.</summary>
    public static ErrorRecord WithGuest(ErrorRecord record, string guestName)
    {
        record.Exception.Data[ReplyConverter.GuestNameProperty] = guestName;
        return record;
    }

    private static ErrorRecord Of(GuestAgentException error, object target, string message) =>
        new(error, error.ErrorId, (ErrorCategory)Enum.Parse(typeof(ErrorCategory), error.Category.ToString()), target)
        {
            ErrorDetails = new ErrorDetails(message) { RecommendedAction = error.RecommendedAction },
        };
}
