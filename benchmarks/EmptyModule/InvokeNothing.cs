using System.Management.Automation;

namespace EmptyModule;

/// <summary>Does nothing, with the parameters of a command: what the engine takes for a cmdlet.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "Nothing")]
[OutputType(typeof(PSObject))]
public sealed class InvokeNothing : PSCmdlet
{
    private static readonly PSObject Nothing = new();

    /// <summary>Taken, and nothing done with it.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public object[] Session { get; set; } = [];

    /// <summary>Taken, and nothing done with it.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    public string Command { get; set; } = "";

    /// <inheritdoc/>
    protected override void ProcessRecord() => WriteObject(Nothing);
}
