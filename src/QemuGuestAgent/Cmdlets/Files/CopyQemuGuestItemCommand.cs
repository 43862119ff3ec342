using System.Management.Automation;
using System.Runtime.InteropServices;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>Copies files and folders to guests, or from a guest, through the agent alone. Each file is copied completely or not at all, and verified.</summary>
[Cmdlet(VerbsCommon.Copy, "QemuGuestItem", DefaultParameterSetName = PathSet, SupportsShouldProcess = true)]
[OutputType("QemuGuestAgent.ItemCopy")]
[OutputType(typeof(ItemCopy))]
public sealed class CopyQemuGuestItemCommand : FanOutCmdlet
{
    private const string PathSet = "Path";
    private const string LiteralPathSet = "LiteralPath";

    // So many names of files are told before something is done to them.
    private const int MaxShown = 20;

    private readonly List<string> _sources = [];
    private readonly List<AgentSession> _receivers = [];
    private readonly CopyProgress _progress;
    private string _destinationHere = "";
    private bool _isPathGiven;

    /// <summary>Makes one that works without limit.</summary>
    public CopyQemuGuestItemCommand()
    {
        TimeoutSeconds = 0;
        _progress = new CopyProgress(record => Post(() => WriteProgress(record)));
    }

    /// <summary>The items, with wildcards: on this computer with -ToSession, in the guest with -FromSession.</summary>
    [Parameter(
        Mandatory = true, Position = 0, ParameterSetName = PathSet, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>The items, by their exact paths, without wildcards.</summary>
    [Parameter(Mandatory = true, ParameterSetName = LiteralPathSet, ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "LP")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>The folder to copy into, or the new path of a single item.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>
    /// The guests to copy to: sessions, names of sessions or of guests of this host (with wildcards), or endpoints. They can come through the
    /// pipeline where -Path or -LiteralPath is given.
    /// </summary>
    [Parameter(ValueFromPipeline = true)]
    [SessionOf]
    [ArgumentCompleter(typeof(GuestCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public AgentSession[]? ToSession { get; set; }

    /// <summary>
    /// The guests to copy from, as with -ToSession. From more than one, or by wildcards, each guest's items go into a folder named after
    /// the guest in -Destination.
    /// </summary>
    [Parameter]
    [SessionOf]
    [ArgumentCompleter(typeof(GuestCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public AgentSession[]? FromSession { get; set; }

    /// <summary>Copies folders with everything in them.</summary>
    [Parameter]
    public SwitchParameter Recurse { get; set; }

    /// <summary>Replaces files that already exist. They keep owner, group, mode, ACL, attributes and label.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>
    /// Copies only files that are not there with the same length and time of last change; they replace what is there. -Verbose names the
    /// others.
    /// </summary>
    [Parameter]
    public SwitchParameter Update { get; set; }

    /// <summary>As -Update, but compares files of the same length by their SHA-256, whatever their times are.</summary>
    [Parameter]
    public SwitchParameter Checksum { get; set; }

    /// <summary>Copies what the links in folders lead to, instead of the links.</summary>
    [Parameter]
    public SwitchParameter FollowLinks { get; set; }

    /// <summary>Continues an earlier copy that was interrupted with -Resume. A copy that is interrupted keeps its partial file.</summary>
    [Parameter]
    public SwitchParameter Resume { get; set; }

    /// <summary>Reads the copied data a second time if the guest cannot compute its checksum.</summary>
    [Parameter]
    public SwitchParameter ReadBack { get; set; }

    /// <summary>The maximum number of bytes to copy from a guest; by default limited by the free disk space here.</summary>
    [Parameter]
    [ValidateRange(0L, long.MaxValue)]
    public long MaximumSize { get; set; } = long.MaxValue;

    /// <summary>Writes an object for each file that was copied.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private bool Updates => Update || Checksum;

    private bool IsLiteral => ParameterSetName == LiteralPathSet;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        var given = MyInvocation.BoundParameters;
        _isPathGiven = given.ContainsKey(nameof(Path)) || given.ContainsKey(nameof(LiteralPath));
        var sends = ToSession is not null || (_isPathGiven && MyInvocation.ExpectingInput);
        if (sends == (FromSession is not null))
        {
            ThrowTerminatingError(ErrorRecords.Of(ErrorCatalogue.CopyDirectionNotGiven.With(this), this));
        }

        try
        {
            _destinationHere = FromSession is null ? "" : LocalPaths.Literal(SessionState, Destination);
        }
        catch (GuestAgentException e)
        {
            ThrowTerminatingError(ErrorRecords.Of(e, Destination));
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (FromSession is null)
        {
            _receivers.AddRange((ToSession ?? []).Except(_receivers));
        }

        // Guests come one by one with the same paths, or paths one by one for the same guests.
        if (_isPathGiven && _sources.Count > 0)
        {
            return;
        }

        foreach (var path in IsLiteral ? LiteralPath : Path)
        {
            try
            {
                _sources.AddRange(
                    FromSession is not null ? [path]
                    : IsLiteral ? [LocalPaths.Literal(SessionState, path)]
                    : LocalPaths.Find(SessionState, path));
            }
            catch (GuestAgentException e)
            {
                WriteError(ErrorRecords.Of(e, path));
            }
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        // None if all have failed already or the wildcards match nothing: as with Copy-Item.
        if (_sources.Count > 0)
        {
            var items = _sources.Count == 1 ? $"'{SafeText.Escape(_sources[0])}'" : $"{_sources.Count} items";
            var from = TargetsOf(FromSession ?? []);
            var isMany = FromSession?.Length > 1
                || FromSession?.Any(session => session is NamedGuest { IsText: true } && GuestLookup.HasWildcards(session.Name)) == true;
            var folders = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            foreach (var guest in from)
            {
                if (isMany && !folders.Add(guest.FullName))
                {
                    WriteError(ErrorRecords.Of(ErrorCatalogue.GuestNameNoFolder.With(guest.FullName, "it is the folder of another guest"), guest));
                    continue;
                }

                StartCopy(guest, $"Copy {items} from the guest to '{Destination}'", $"Copying from {guest.FullName}", _destinationHere, isMany);
            }

            foreach (var guest in TargetsOf(_receivers))
            {
                StartCopy(guest, $"Copy {items} to '{Destination}' in the guest", $"Copying to {guest.FullName}", Destination, isMany: false);
            }
        }

        base.EndProcessing();
    }

    private void StartCopy(GuestTarget target, string change, string activity, string destination, bool isMany)
    {
        // Who asks what would happen, or is asked, is told what is there: that takes a look into the guest.
        var isAsking = IsAsking;
        if (!isAsking && !ShouldProcess(target.Text, change))
        {
            return;
        }

        var progress = _progress.Add(activity);
        StartOn(target, async (guest, call, cancellationToken) =>
        {
            if (isAsking && !await ConfirmAsync(guest, change, destination, isMany, call, cancellationToken).ConfigureAwait(false))
            {
                return () => { };
            }

            var options = new ItemCopyOptions
            {
                Recurse = Recurse,
                Force = Force,
                Update = Updates,
                Checksum = Checksum,
                FollowLinks = FollowLinks,
                Resume = Resume,
                ReadBack = ReadBack,
                MaximumSize = MaximumSize == long.MaxValue ? null : MaximumSize,
                Progress = progress.Tell,
                Copied = copy => PassThru
                    ? SendAsync(() => WriteObject(GuestObject.Of(Harmless(copy), "ItemCopy", guest)), cancellationToken)
                    : Task.CompletedTask,
                Unchanged = path => Post(() => WriteVerbose($"'{SafeText.Escape(path)}' is there already.")),
                Warn = text => Post(() => WriteWarning(SafeText.Escape(text))),
                Failed = e => Post(() => WriteError(ErrorRecords.Of(e, target))),
            };
            try
            {
                if (FromSession is null)
                {
                    await GuestItems.SendAsync(guest.Session, _sources, destination, options, call, cancellationToken).ConfigureAwait(false);
                }
                else
                {
                    var folder = isMany ? FolderOf(target.FullName, destination) : destination;
                    await GuestItems.ReceiveAsync(guest.Session, _sources, IsLiteral, folder, options, call, cancellationToken)
                        .ConfigureAwait(false);
                }
            }
            finally
            {
                progress.Complete();
            }

            return () => { };
        });
    }

    // Whether PowerShell tells what would be done, or asks before: by a parameter or by a preference.
    private bool IsAsking =>
        (Given("WhatIf") ?? LanguagePrimitives.IsTrue(Prefers("WhatIfPreference")))
        || (Given("Confirm") ?? Prefers("ConfirmPreference") is ConfirmImpact.Low or ConfirmImpact.Medium);

    private bool? Given(string parameter) =>
        MyInvocation.BoundParameters.TryGetValue(parameter, out var value) ? ((SwitchParameter)value).IsPresent : null;

    private object? Prefers(string variable) => SessionState.PSVariable.GetValue(variable);

    private async Task<bool> ConfirmAsync(
        Guest guest, string change, string destination, bool isMany, CallOptions call, CancellationToken cancellationToken)
    {
        var options = new ItemCopyOptions { Recurse = Recurse, Force = Force, Update = Updates, Checksum = Checksum, FollowLinks = FollowLinks };
        var found = FromSession is null
            ? await CopyPreview.OfSendingAsync(guest.Session, _sources, destination, options, call, cancellationToken).ConfigureAwait(false)
            : await CopyPreview.OfReceivingAsync(
                guest.Session, _sources, IsLiteral, isMany ? System.IO.Path.Combine(destination, guest.Target.FullName) : destination,
                options, call, cancellationToken).ConfigureAwait(false);
        var isConfirmed = false;
        change += WhatIsThere(found.Existing) + WhatIsLinked(found.Links);
        await SendAsync(() => isConfirmed = ShouldProcess(guest.Target.Text, change), cancellationToken).ConfigureAwait(false);
        return isConfirmed;
    }

    private string WhatIsThere(IEnumerable<string>? found)
    {
        if (found is null)
        {
            return " (whether it has such files already cannot be told)";
        }

        var shown = Shown(found.Select(Quoted));
        return shown.Length == 0 ? "" : Force || Updates ? $", replacing {shown}" : $", but not what exists: {shown}";
    }

    private static string WhatIsLinked(IEnumerable<(string Path, string Target)> links)
    {
        var shown = Shown(links.Select(link => $"{Quoted(link.Path)} to {Quoted(link.Target)}"));
        return shown.Length == 0 ? "" : $", making links: {shown}";
    }

    private static string Shown(IEnumerable<string> items)
    {
        var all = items.ToList();
        return string.Join(", ", all.Take(MaxShown)) + (all.Count > MaxShown ? $" and {all.Count - MaxShown} more" : "");
    }

    private static string Quoted(string path) => $"'{SafeText.Escape(path)}'";

    // A folder for the items of one guest of several.
    private static string FolderOf(string name, string destination)
    {
        if (LocalName.Refuse(name, RuntimeInformation.IsOSPlatform(OSPlatform.Windows)) is { } reason)
        {
            throw ErrorCatalogue.GuestNameNoFolder.With(name, reason);
        }

        var folder = System.IO.Path.Combine(destination, name);
        LocalFile.MakeFolder(folder, mayBeLink: false);
        return folder;
    }

    // The guest chooses the names that wildcards and folders yield.
    private static ItemCopy Harmless(ItemCopy copy) => new(
        SafeText.Escape(copy.Source), SafeText.Escape(copy.Destination), copy.Length, copy.Hash, copy.Verified, copy.Atomic, copy.Resumed, copy.Duration);
}
