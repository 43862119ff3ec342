using System.Collections;
using System.Globalization;
using System.Management.Automation;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Operations.Scripts;

namespace QemuGuestAgent.Conversion;

/// <summary>Writes the output of a script in a guest's PowerShell to the same streams here.</summary>
internal sealed class ScriptStreams(PSCmdlet cmdlet, Guest guest, PowerShellScript script)
{
    // Lines of standard error, until a first record shows that they come from the script and not from a PowerShell that cannot run it.
    private readonly List<string> _errors = [];
    private readonly HashSet<int> _shown = [];
    private bool _hasBegun;
    private bool _hasEnded;
    private int? _exitCode;

    /// <summary>Parses lines, and returns actions for the pipeline's thread that write their records.</summary>
    /// <exception cref="GuestAgentException">ReplyUnexpected.</exception>
    public Action Read(IEnumerable<GuestProcessLine> lines)
    {
        try
        {
            var actions = lines.SelectMany(Read).ToList();
            return () => actions.ForEach(action => action());
        }
        catch (SystemException e)
        {
            // The exceptions that the engine throws for invalid CLIXML.
            throw ErrorCatalogue.ReplyUnexpected.BecauseWithTarget(e, guest.Name, "PowerShell", guest.Session.Endpoint, e.Message);
        }
    }

    /// <summary>As <see cref="Read(IEnumerable{GuestProcessLine})"/>, of output that may end in the middle of a record.</summary>
    public Action ReadPart(string output)
    {
        var actions = new List<Action>();
        foreach (var line in output.Split('\n'))
        {
            try
            {
                actions.Add(Read([new GuestProcessLine(GuestOutputKind.Output, line.TrimEnd('\r'))]));
            }
            catch (GuestAgentException)
            {
                // Its last record was not finished.
                break;
            }
        }

        return () => actions.ForEach(action => action());
    }

    /// <summary>Fails if the script was interrupted, or ended itself with an exit code other than 0.</summary>
    /// <exception cref="GuestAgentException">ScriptBrokenOff, ScriptExitCode.</exception>
    public void Check(GuestProcessResult result)
    {
        if (!_hasEnded)
        {
            throw ErrorCatalogue.ScriptBrokenOff.WithTarget(
                guest.Name, guest.Session.Endpoint, result, GuestProcessResult.LastWords(string.Join("\n", _errors)));
        }

        if (_exitCode is not (null or 0))
        {
            throw ErrorCatalogue.ScriptExitCode.WithTarget(guest.Name, guest.Session.Endpoint, _exitCode);
        }
    }

    /// <summary>Removes the progress that the script left behind.</summary>
    public void CompleteProgress()
    {
        foreach (var id in _shown)
        {
            cmdlet.WriteProgress(new ProgressRecord(id, " ", " ") { RecordType = ProgressRecordType.Completed });
        }
    }

    private IEnumerable<Action> Read(GuestProcessLine line)
    {
        List<Action> actions = [];
        if (line.Stream == GuestOutputKind.Error)
        {
            _errors.Add(line.Text);
        }
        else
        {
            actions.AddRange(script.Read(line.Text).Select(Read));
        }

        if (_hasBegun)
        {
            actions.AddRange(_errors.Select(Error));
            _errors.Clear();
        }

        return actions;
    }

    private Action Read(PowerShellRecord record)
    {
        if (record.Kind is null)
        {
            return () => cmdlet.WriteObject(record.Content);
        }

        _hasBegun = true;
        var value = PSSerializer.Deserialize(record.Content);
        switch (record.Kind)
        {
            case "Output":
                // As remoting does it with texts and numbers too.
                var output = value is null ? null : ReplyConverter.Mark(PSObject.AsPSObject(value), guest.Target);
                return () => cmdlet.WriteObject(output);
            case "Error":
                var error = Error(Members(value));
                return () => cmdlet.WriteError(error);
            case "Warning":
                return () => cmdlet.WriteWarning(Named(value));
            case "Verbose":
                return () => ShownRecords.WriteVerbose(cmdlet, Named(value));
            case "Debug":
                return () => ShownRecords.WriteDebug(cmdlet, Named(value));
            case "Information":
                var information = Members(value);
                var written = new InformationRecord(Clean(information["Data"]), guest.Name) { Computer = guest.Name };
                written.Tags.AddRange(Array.ConvertAll(LanguagePrimitives.ConvertTo<string[]>(information["Tags"]) ?? [], Clean));
                return () => cmdlet.WriteInformation(written);
            case "Progress":
                var progress = Progress(Members(value));
                return () =>
                {
                    _shown.Add(progress.ActivityId);
                    cmdlet.WriteProgress(progress);
                };
            case PowerShellScript.End:
                _hasEnded = true;
                _exitCode = value is null ? null : Number(value);
                return () =>
                {
                    if (_exitCode is { } code)
                    {
                        cmdlet.SessionState.PSVariable.Set("global:LASTEXITCODE", code);
                    }
                };
            default:
                throw new FormatException($"it has a record of the kind '{record.Kind}'.");
        }
    }

    // As PowerShell does with what programs write to standard error.
    private Action Error(string line)
    {
        var error = Named(new ErrorRecord(new RemoteException(Clean(line)), "NativeCommandError", ErrorCategory.NotSpecified, null));
        return () => cmdlet.WriteError(error);
    }

    private ErrorRecord Error(IDictionary members)
    {
        var exception = new RemoteException(Clean(members["Message"]));
        var isKnown = Enum.TryParse<ErrorCategory>(Clean(members["Category"]), out var category);
        var error = new ErrorRecord(
            exception, Clean(members["Id"]), isKnown ? category : ErrorCategory.NotSpecified, Clean(members["Target"]));
        error.CategoryInfo.Activity = Clean(members["Activity"]);
        error.CategoryInfo.Reason = Clean(members["Reason"]);
        error.CategoryInfo.TargetName = Clean(members["TargetName"]);
        error.CategoryInfo.TargetType = Clean(members["TargetType"]);
        return Named(error);
    }

    private ErrorRecord Named(ErrorRecord error)
    {
        error.ErrorDetails = new ErrorDetails(Named(error.Exception.Message));
        return ErrorRecords.WithGuest(error, guest.Name);
    }

    private string Named(object? text) => $"{SafeText.Escape(guest.Target.FullName)}: {Clean(text)}";

    private static ProgressRecord Progress(IDictionary members) =>
        new(Number(members["Id"]), Some(members["Activity"]), Some(members["Status"]))
        {
            ParentActivityId = Number(members["Parent"]),
            CurrentOperation = Clean(members["Operation"]),
            PercentComplete = Math.Max(-1, Math.Min(100, Number(members["Percent"]))),
            SecondsRemaining = Number(members["Seconds"]),
            RecordType = Number(members["Type"]) == 1 ? ProgressRecordType.Completed : ProgressRecordType.Processing,
        };

    private static IDictionary Members(object? value) =>
        (value is PSObject wrapped ? wrapped.BaseObject : value) as IDictionary
            ?? throw new FormatException("a record has no members.");

    private static int Number(object? value) => LanguagePrimitives.ConvertTo<int>(value);

    private static string Some(object? value) => Clean(value) is { Length: > 0 } text ? text : " ";

    // Line breaks are kept; no other control characters of a guest reach the terminal.
    private static string Clean(object? value) =>
        string.Join("\n", SafeText.WithoutColors(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "").Split('\n')
            .Select(line => SafeText.Escape(line.TrimEnd('\r'), 8192)));
}
