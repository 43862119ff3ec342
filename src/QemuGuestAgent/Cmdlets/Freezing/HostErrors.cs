using System.Management.Automation;
using QemuGuestAgent.Core.Operations.Freezing;

namespace QemuGuestAgent;

/// <summary>Tells of guests that may be left frozen where errors are not shown any more: after Ctrl+C.</summary>
internal static class HostErrors
{
    /// <summary>Writes to the host what could not be undone.</summary>
    public static void Write(PSCmdlet cmdlet, IEnumerable<FreezeFailure> failures)
    {
        foreach (var failure in failures)
        {
            cmdlet.Host.UI.WriteErrorLine($"{failure.Error.Message} {failure.Error.RecommendedAction}");
        }
    }
}
