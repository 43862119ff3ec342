using System.Management.Automation;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent;

/// <summary>Converts the catalogue's errors to error records.</summary>
internal static class ErrorRecords
{
    /// <summary>The error as PowerShell shows it.</summary>
    /// <param name="error">What happened.</param>
    /// <param name="target">The session or endpoint that it happened to.</param>
    public static ErrorRecord Of(GuestAgentException error, object target) =>
        new(error, error.ErrorId, (ErrorCategory)Enum.Parse(typeof(ErrorCategory), error.Category.ToString()), target)
        {
            ErrorDetails = new ErrorDetails(error.Message) { RecommendedAction = error.RecommendedAction },
        };
}
