using System.Management.Automation;

namespace QemuGuestAgent.Cmdlets.Files;

/// <summary>Writes to files in guests, behind what is in them.</summary>
[Cmdlet(VerbsCommon.Add, "QemuGuestContent", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class AddQemuGuestContent : ContentWritingCmdlet
{
    private protected override bool Appends => true;

    private protected override string Change => "Add to";
}
