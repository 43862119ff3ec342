using System.Collections;
using System.Management.Automation;
using System.Text;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>A cmdlet that runs a program in each of many guests.</summary>
public abstract class ProgramCmdlet : InputCmdlet
{
    private GuestProcessStart _program = new("");

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

    /// <summary>
    /// The user in the guest to run it as, in that user's home; by default the user that the agent runs as, which is normally root and needs no
    /// password for this. Not in Windows guests.
    /// </summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? UserName { get; set; }

    /// <summary>The encoding of its input and output; by default UTF-8, and in Windows guests the OEM code page.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(EncodingCompleter))]
    [EncodingArgument]
    [ValidateNotNull]
    public Encoding? Encoding { get; set; }

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

        _program = Completed(new GuestProcessStart(FilePath)
        {
            Arguments = ArgumentList,
            Environment = Environment is { } variables ? ProgramInput.Variables(variables)
                : ReplaceEnvironment ? new Dictionary<string, string?>()
                : null,
            ReplacesEnvironment = ReplaceEnvironment,
            WorkingDirectory = WorkingDirectory,
            UserName = UserName,
            Encoding = Encoding,
        });
    }

    // What is done, for -WhatIf and -Confirm.
    private protected abstract string Change { get; }

    // The program with what the cmdlet has parameters of its own for.
    private protected virtual GuestProcessStart Completed(GuestProcessStart program) => program;

    private protected abstract Task<Action> RunAsync(
        Guest guest, GuestProcessStart program, CallOptions call, CancellationToken cancellationToken);

    private protected sealed override void RunInGuests(object? input)
    {
        var read = input is null ? null : ProgramInput.Read(input);
        ForEachGuest(
            async (guest, call, cancellationToken) =>
            {
                var program = read is null ? _program : _program with
                {
                    Input = read(Encoding ?? await GuestProcess.FindEncodingAsync(guest.Session, call, cancellationToken).ConfigureAwait(false)),
                };
                return await RunAsync(guest, program, call, cancellationToken).ConfigureAwait(false);
            },
            $"{Change} {FilePath}");
    }
}
