using System.Management.Automation;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Commands;

/// <summary>A cmdlet that runs something in guests and gives it input, which can come through the pipeline where the guests do not.</summary>
public abstract class InputCmdlet : GuestCmdlet
{
    private readonly List<object> _piped = [];
    private object? _given;
    private bool _isPiped;

    /// <summary>
    /// The standard input: bytes unchanged, and each string or secret as a line; a PowerShell script reads it as $input. It can come through the
    /// pipeline where the guests do not. It is not written to any log.
    /// </summary>
    [Parameter(ValueFromPipeline = true)]
    [ValidateNotNull]
    public object? InputObject { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();

        // Where the guests come through the pipeline, PowerShell binds each to both.
        var given = MyInvocation.BoundParameters;
        _given = InputObject;
        _isPiped = MyInvocation.ExpectingInput && _given is null
            && (given.ContainsKey(nameof(Session)) || given.ContainsKey(nameof(Endpoint)));
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (!_isPiped)
        {
            RunInGuests(_given);
        }
        else if (InputObject is { } item)
        {
            if (ArgumentConverter.Unwrap(item) is AgentSession or AgentProcess || GuestObject.OriginOf(PSObject.AsPSObject(item)) is not null)
            {
                ThrowTerminatingError(ErrorRecords.Of(ErrorCatalogue.GuestsGivenTwice.With(Session.Cast<object>().Concat(Endpoint).First()), item));
            }

            _piped.Add(item);
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (_isPiped)
        {
            RunInGuests(_piped);
        }

        base.EndProcessing();
    }

    // Runs it in the guests of this pipeline record.
    private protected abstract void RunInGuests(object? input);
}
