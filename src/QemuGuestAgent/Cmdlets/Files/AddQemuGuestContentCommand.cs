using System.Management.Automation;

namespace QemuGuestAgent.Commands;

/// <summary>Appends content to files in guests.</summary>
[Cmdlet(VerbsCommon.Add, "QemuGuestContent", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class AddQemuGuestContentCommand : ContentWritingCmdlet
{
    private protected override bool Appends => true;

    private protected override string Change => "Add to";
}
