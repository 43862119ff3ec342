using System.Management.Automation;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>Writes the events of a session to the verbose and debug streams of a cmdlet.</summary>
internal sealed class CmdletTrace
{
    private readonly PSCmdlet _cmdlet;
    private readonly bool _tellsSteps;
    private readonly bool _tellsWire;

    /// <summary>Reads the parameters and preferences of a cmdlet that has begun.</summary>
    public CmdletTrace(PSCmdlet cmdlet)
    {
        _cmdlet = cmdlet;
        _tellsSteps = IsTold("Verbose", "VerbosePreference");
        _tellsWire = IsTold("Debug", "DebugPreference");
    }

    /// <summary>Receives the events of a guest; null if they are not wanted.</summary>
    /// <param name="name">The guest's name.</param>
    /// <param name="emit">Runs an action on the pipeline's thread.</param>
    public Action<TraceEvent>? Trace(string name, Action<Action> emit) =>
        _tellsSteps || _tellsWire ? happened => Tell(emit, name, happened) : null;

    private void Tell(Action<Action> emit, string name, TraceEvent happened)
    {
        if (happened.Kind == TraceKind.Step)
        {
            if (_tellsSteps)
            {
                emit(() => _cmdlet.WriteVerbose(happened.Text));
            }
        }
        else if (_tellsWire)
        {
            emit(() => _cmdlet.WriteDebug($"{name} {(happened.Kind == TraceKind.Sent ? "->" : "<-")} {happened.Text}"));
        }
    }

    private bool IsTold(string parameter, string preference) =>
        _cmdlet.MyInvocation.BoundParameters.TryGetValue(parameter, out var asked)
            ? ((SwitchParameter)asked).IsPresent
            : LanguagePrimitives.TryConvertTo(_cmdlet.GetVariableValue(preference), out ActionPreference told)
                && told is not (ActionPreference.SilentlyContinue or ActionPreference.Ignore);
}
