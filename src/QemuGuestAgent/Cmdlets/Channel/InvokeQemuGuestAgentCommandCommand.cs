using System.Management.Automation;
using System.Text.Json;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Commands;

/// <summary>Sends a command to guest agents and writes their replies as objects, with the members of the JSON.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "QemuGuestAgentCommand", DefaultParameterSetName = SessionSet, SupportsShouldProcess = true)]
[OutputType(typeof(PSObject), typeof(string), typeof(long), typeof(double), typeof(bool))]
public sealed class InvokeQemuGuestAgentCommandCommand : FanOutCmdlet
{
    private const string SessionSet = "Session";
    private const string PipelineSet = "Pipeline";
    private const string EndpointSet = "Endpoint";

    private Action<Utf8JsonWriter>? _writeArguments;

    /// <summary>
    /// The guests, by position before the command, or through the pipeline: sessions, names of sessions or of guests of this host (with
    /// wildcards), endpoints, or objects that came from guests. A name that begins with guest- needs the parameter's name.
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = SessionSet)]
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = PipelineSet)]
    [SessionOf(LeavesCommands = true)]
    [ArgumentCompleter(typeof(GuestCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public AgentSession[] Session { get; set; } = [];

    /// <summary>Endpoints to open for this one command and to close afterwards, or names of guests. Some kinds of endpoint start programs.</summary>
    [Parameter(Mandatory = true, ParameterSetName = EndpointSet, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(EndpointCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Endpoint { get; set; } = [];

    /// <summary>
    /// The command's name, such as guest-get-osinfo; or a whole request as JSON text, with the members execute and arguments, as for
    /// virsh qemu-agent-command.
    /// </summary>
    [Parameter(Mandatory = true, Position = 1, ParameterSetName = SessionSet)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = PipelineSet)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = EndpointSet)]
    [ArgumentCompleter(typeof(CommandCompleter))]
    public string Command { get; set; } = "";

    /// <summary>The command's arguments by name: a hashtable, an object, or JSON text. A byte array is sent as base64.</summary>
    [Parameter(Position = 2, ParameterSetName = SessionSet)]
    [Parameter(Position = 1, ParameterSetName = PipelineSet)]
    [Parameter(Position = 1, ParameterSetName = EndpointSet)]
    [ArgumentCompleter(typeof(CommandArgumentsCompleter))]
    public object? Arguments { get; set; }

    /// <summary>Writes the reply as JSON text instead.</summary>
    [Parameter]
    public SwitchParameter Raw { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        try
        {
            ReadTexts();
            _ = NewRequest();
            _writeArguments = ArgumentWriter.Prepare(Command, Arguments, ArgumentConverter.Unwrap);
        }
        catch (GuestAgentException e)
        {
            ThrowTerminatingError(ErrorRecords.Of(e, e.Target ?? Command));
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var guests = ParameterSetName == EndpointSet ? TargetsOf(Endpoint) : TargetsOf(Session);
        foreach (var guest in guests)
        {
            if (ShouldProcess(guest.Text, Command))
            {
                StartOn(guest, InvokeAsync, here: guests.Count == 1 && !MyInvocation.ExpectingInput);
            }
        }
    }

    private void ReadTexts()
    {
        if (RequestText.IsObject(Command))
        {
            var text = Command;
            (Command, var arguments) = RequestText.ReadRequest(text);
            Arguments = Arguments is null
                ? arguments
                : throw ErrorCatalogue.RequestTextInvalid.With(text, "give the arguments of a whole request in its text, not with -Arguments.");
        }
        else if (Arguments is not null && ArgumentConverter.Unwrap(Arguments) is string given && RequestText.IsObject(given))
        {
            Arguments = RequestText.ReadArguments(given);
        }
    }

    private async Task<Action> InvokeAsync(Guest guest, CallOptions call, CancellationToken cancellationToken)
    {
        var output = await guest.Session.InvokeAsync<object?[]>(
            NewRequest(),
            (ref Utf8JsonReader reader) => Raw ? [ReplyConverter.ReadText(ref reader)]
                : ReplyConverter.Read(ref reader) is var value && value is object?[] items ? items : [value],
            call, cancellationToken).ConfigureAwait(false);
        return () =>
        {
            // Null if the command does not reply when it succeeds.
            foreach (var item in output ?? [])
            {
                WriteObject(ReplyConverter.Mark(item, guest.Target));
            }
        };
    }

    private GuestAgentRequest NewRequest() => new(Command, _writeArguments);
}
