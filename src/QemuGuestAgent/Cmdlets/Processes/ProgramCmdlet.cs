using System.Collections;
using System.Management.Automation;
using System.Text;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;

namespace QemuGuestAgent.Commands;

/// <summary>A cmdlet that runs a program in each of many guests.</summary>
public abstract class ProgramCmdlet : GuestCmdlet
{
    /// <summary>The path of the program in the guest; a name without a slash is searched for on the agent's PATH.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string FilePath { get; set; } = "";

    /// <summary>
    /// Its arguments, passed unchanged: no shell parses them. Put arguments that begin with a dash after --, or all of them into an array. They
    /// are written to the guest's log.
    /// </summary>
    [Parameter(ValueFromRemainingArguments = true)]
    [Alias("Args")]
    [AllowEmptyCollection]
    [AllowEmptyString]
    [ValidateNotNull]
    public string[] ArgumentList { get; set; } = [];

    /// <summary>
    /// Not for use. It keeps an option of a program, such as -f, from being taken for an abbreviated parameter or reported as ambiguous.
    /// </summary>
    [Parameter(DontShow = true)]
    [Alias(
        "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z")]
    public SwitchParameter ProgramOption { get; set; }

    /// <summary>Its standard input: bytes unchanged, and each string or secret as a line. It is not written to any log.</summary>
    [Parameter]
    [ValidateNotNull]
    public object? InputObject { get; set; }

    /// <summary>Variables to set in its environment; a null value removes one.</summary>
    [Parameter]
    [ValidateNotNull]
    public IDictionary? Environment { get; set; }

    /// <summary>Uses the variables of -Environment as the whole environment, instead of adding them to the agent's.</summary>
    [Parameter]
    public SwitchParameter ReplaceEnvironment { get; set; }

    /// <summary>The folder in the guest to run it in.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? WorkingDirectory { get; set; }

    /// <summary>The encoding of its input and output; UTF-8 by default.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(EncodingCompleter))]
    [EncodingArgument]
    [ValidateNotNull]
    public Encoding Encoding { get; set; } = new UTF8Encoding(false);

    // The program as the user gave it.
    private protected GuestProcessStart Program { get; private set; } = new("");

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        try
        {
            CommandLineCheck.Check(this, ProgramOption);
        }
        catch (GuestAgentException e)
        {
            ThrowTerminatingError(ErrorRecords.Of(e, e.Target ?? this));
        }

        Program = new GuestProcessStart(FilePath)
        {
            Arguments = ArgumentList,
            Input = InputObject is null ? null : ProgramInput.Bytes(InputObject, Encoding),
            Environment = Environment is { } variables ? ProgramInput.Variables(variables)
                : ReplaceEnvironment ? new Dictionary<string, string?>()
                : null,
            ReplacesEnvironment = ReplaceEnvironment,
            WorkingDirectory = WorkingDirectory,
            Encoding = Encoding,
        };
    }
}
