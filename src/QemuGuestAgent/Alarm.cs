using System.Management.Automation;
using QemuGuestAgent.Core.Operations;

namespace QemuGuestAgent;

/// <summary>Tells of guests that may be left frozen where errors are not shown any more: after Ctrl+C.</summary>
internal static class Alarm
{
    /// <summary>Writes to the host what could not be undone.</summary>
    public static void Sound(PSCmdlet cmdlet, IEnumerable<FreezeFailure> failures)
    {
        foreach (var failure in failures)
        {
            cmdlet.Host.UI.WriteErrorLine($"{failure.Error.Message} {failure.Error.RecommendedAction}");
        }
    }
}
