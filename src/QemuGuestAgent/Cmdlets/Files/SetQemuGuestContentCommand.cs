using System.Management.Automation;

namespace QemuGuestAgent.Commands;

/// <summary>Writes files in guests, replacing their content.</summary>
[Cmdlet(VerbsCommon.Set, "QemuGuestContent", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class SetQemuGuestContentCommand : ContentWritingCmdlet
{
    private protected override bool Appends => false;

    private protected override string Change => "Write to";
}
