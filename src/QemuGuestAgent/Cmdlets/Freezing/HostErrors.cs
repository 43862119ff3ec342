using System.Management.Automation;
using QemuGuestAgent.Core.Operations.Freezing;

namespace QemuGuestAgent;

/// <summary>Reports guests that may still be frozen when errors are no longer shown: after Ctrl+C.</summary>
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
