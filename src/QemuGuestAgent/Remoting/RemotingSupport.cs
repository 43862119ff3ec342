using System.Collections;
using System.Management.Automation;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Remoting;

/// <summary>Whether this PowerShell can have sessions by this module's transport.</summary>
internal static class RemotingSupport
{
    /// <summary>Null where it can; else the error.</summary>
    public static GuestAgentException? WhyNot(PSCmdlet cmdlet)
    {
#if NET
        if (EngineTypes.AreThere)
        {
            return null;
        }
#endif
        return ErrorCatalogue.PowerShellTooOld.With(((Hashtable)cmdlet.GetVariableValue("PSVersionTable"))["PSVersion"]);
    }
}
