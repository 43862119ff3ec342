using System.Management.Automation;

namespace QemuGuestAgent.Commands;

/// <summary>Writes to files in guests, behind what is in them.</summary>
[Cmdlet(VerbsCommon.Add, "QemuGuestContent", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class AddQemuGuestContentCommand : ContentWritingCmdlet
{
    private protected override bool Appends => true;

    private protected override string Change => "Add to";
}
