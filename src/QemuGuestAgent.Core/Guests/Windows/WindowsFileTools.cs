using System.Globalization;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Windows;

/// <summary>Asks a function of a Windows guest's helper.</summary>
/// <param name="function">One of those in Files.ps1, Parts.ps1 and Packs.ps1.</param>
/// <param name="arguments">Its arguments.</param>
/// <param name="time">The operation's time.</param>
/// <param name="cancellationToken">Cancels it.</param>
internal delegate Task<HelperAnswer> HelperQuestion(
    string function, IReadOnlyList<string> arguments, OperationTime time, CancellationToken cancellationToken);

/// <summary>What the helper of a Windows guest does for a copy.</summary>
/// <param name="session">The session with the guest's agent.</param>
/// <param name="time">The operation's time.</param>
/// <param name="ask">Asks the helper.</param>
internal sealed class WindowsFileTools(GuestAgentSession session, OperationTime time, HelperQuestion ask) : GuestFileTools(session)
{
    // They come and go in one piece.
    private const int FoldersAtOnce = 500;

    private readonly WindowsPacks _packs = new(time, ask);

    /// <inheritdoc/>
    public override bool HasChecksum => true;

    /// <inheritdoc/>
    public override string Readable => "NUL";

    /// <summary>Its agent shares a file only with those who read it, and only that no one closes it.</summary>
    public override bool LocksOpenFiles => true;

    /// <inheritdoc/>
    public override async Task<List<GuestItem>> ListAsync(
        string path, bool isPattern, bool isDeep, bool followsLinks, CancellationToken cancellationToken)
    {
        if (followsLinks)
        {
            throw ErrorCatalogue.GuestToolsMissing.WithTarget(path, "Following links", Session.Endpoint, "it is done in Linux guests only");
        }

        var records = await AskAsync(
            ErrorCatalogue.GuestFileNotRead, path, "Get-ItemList", [path, YesOrNo(isPattern), YesOrNo(isDeep)], cancellationToken)
            .ConfigureAwait(false);
        return Parse(
            () =>
            {
                var items = GuestItem.Parse(records, GuestPath.Windows);
                GuestItem.Check(items, path, isPattern ? GuestPattern.WindowsMatcher(path) : null, isDeep);
                return items;
            },
            path);
    }

    /// <inheritdoc/>
    public override Task<IGuestWriter> OpenInPlaceAsync(string path, byte[] mark, bool appends, CancellationToken cancellationToken) =>
        Task.FromResult<IGuestWriter>(new WindowsWriter(this, path, mark, appends));

    /// <inheritdoc/>
    public override async Task<(string Hash, string State)> HashHeldAsync(string root, string way, long? length, CancellationToken cancellationToken)
    {
        var fields = await AskAsync(
            ErrorCatalogue.GuestFileNotRead, way.Length > 0 ? GuestPath.Windows.Join(root, way) : root, "Get-HeldHash",
            [root, way, length is { } bytes ? Number(bytes) : ""], cancellationToken).ConfigureAwait(false);
        return (fields.Count > 0 ? fields[0] : "", "");
    }

    /// <inheritdoc/>
    public override Task<IReadOnlyList<string>> HashAsync(string root, IReadOnlyList<string> ways, CancellationToken cancellationToken) =>
        AskAsync(ErrorCatalogue.GuestFileNotRead, root, "Get-SumList", [root, .. ways], cancellationToken);

    /// <inheritdoc/>
    public override async Task<Dictionary<string, string>> MakeFoldersAsync(
        string root, IReadOnlyList<string> ways, CancellationToken cancellationToken)
    {
        var made = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var done = 0; done < ways.Count; done += FoldersAtOnce)
        {
            var told = await AskAsync(
                ErrorCatalogue.GuestFileNotWritten, GuestPath.Windows.Join(root, ways[done]), "New-FolderList",
                [root, .. ways.Skip(done).Take(FoldersAtOnce)], cancellationToken).ConfigureAwait(false);
            foreach (var way in told)
            {
                made[way] = "";
            }
        }

        return made;
    }

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<string>> FinishFoldersAsync(
        string root, IReadOnlyList<(string Known, string Way, int Mode, DateTime Modified)> folders, CancellationToken cancellationToken)
    {
        var failed = new List<string>();
        for (var done = 0; done < folders.Count; done += FoldersAtOnce)
        {
            var arguments = folders.Skip(done).Take(FoldersAtOnce).SelectMany(folder => new[] { folder.Way, Ticks(folder.Modified) });
            failed.AddRange(await AskAsync(
                ErrorCatalogue.GuestFileNotWritten, root, "Set-FolderTime", [root, .. arguments], cancellationToken).ConfigureAwait(false));
        }

        return failed;
    }

    /// <inheritdoc/>
    public override bool Packs(string name) => true;

    /// <inheritdoc/>
    public override bool TellsEmpty => true;

    /// <inheritdoc/>
    public override Task<IReadOnlyDictionary<PackedFile, string?>> SendPackAsync(
        string root, string name, IReadOnlyList<PackedFile> files, bool replaces, CancellationToken cancellationToken) =>
        _packs.SendAsync(this, root, name, files, replaces, cancellationToken);

    /// <inheritdoc/>
    public override Task<IReadOnlyDictionary<GuestItem, ReadOnlyMemory<byte>>> ReceivePackAsync(
        string root, IReadOnlyList<GuestItem> items, CancellationToken cancellationToken) => _packs.ReceiveAsync(root, items, cancellationToken);

    /// <inheritdoc/>
    public override GuestPart CreatePart(GuestTarget target, long handle) => WindowsPart.Create(this, target, handle);

    /// <inheritdoc/>
    public override Task<(List<GuestPart> Own, List<string> Foreign)> FindPartsAsync(
        GuestTarget target, CancellationToken cancellationToken) => WindowsPart.FindAsync(this, target, cancellationToken);

    /// <inheritdoc/>
    public override Task ExplainAsync(string path, CancellationToken cancellationToken) =>
        AskAsync(ErrorCatalogue.GuestFileNotOpened, path, "Test-Opening", [path], cancellationToken);

    /// <summary>Asks the helper; a failure is one of the file with that path.</summary>
    /// <param name="error">What has failed where the helper's word for it is unknown.</param>
    /// <param name="path">The file.</param>
    /// <param name="function">The function.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<IReadOnlyList<string>> AskAsync(
        ErrorDefinition error, string path, string function, string[] arguments, CancellationToken cancellationToken)
    {
        var answer = await ask(function, arguments, time, cancellationToken).ConfigureAwait(false);
        return answer.Code switch
        {
            "" => answer.Fields,
            "Exists" => throw ErrorCatalogue.ItemExists.With(path, There, ""),
            "NotFile" => throw ErrorCatalogue.ItemNotFile.With(path, There),
            "IsFolder" => throw ErrorCatalogue.ItemIsFolder.With(path, There),
            "Differs" => throw ErrorCatalogue.ItemNotVerified.With(path, Session.Endpoint),
            "Replaced" => throw ErrorCatalogue.ItemReplaced.With(path, Session.Endpoint),
            "InUse" => throw ErrorCatalogue.GuestFileInUse.With(path, Session.Endpoint),
            "NoFolder" => throw ErrorCatalogue.GuestItemNotFound.WithTarget(path, GuestPath.Windows.Folder(path), Session.Endpoint),
            _ => throw error.With(path, Session.Endpoint, answer.Fields.Count > 0 ? answer.Fields[0] : answer.Code),
        };
    }

    /// <summary>Asks the helper as far as the agent answers, for a caller that has cancelled.</summary>
    public Task TryAskAsync(string function, params string[] arguments)
    {
        var rest = new OperationTime(Session.Clock, new CallOptions { Timeout = AbandonedCall.CleanupTime });
        return AbandonedCall.CleanUpAsync(() => ask(function, arguments, rest, CancellationToken.None));
    }

    /// <summary>That a file cannot be written, for a reason that shows here.</summary>
    public GuestAgentException NotWritten(string path, string reason) =>
        ErrorCatalogue.GuestFileNotWritten.With(path, Session.Endpoint, reason);

    /// <summary>Yes or no, as the functions read it.</summary>
    public static string YesOrNo(bool value) => value ? "y" : "n";

    /// <summary>A moment in UTC, as .NET counts.</summary>
    public static string Ticks(DateTime moment) => Number(moment.Ticks);

    /// <summary>A number, as the functions read it.</summary>
    public static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    // The agent opens no file that somebody writes to, and what it opens may have been exchanged: so the helper writes, piece by piece,
    // and looks at each what it writes to.
    private sealed class WindowsWriter(WindowsFileTools tools, string path, byte[] mark, bool appends) : IGuestWriter
    {
        private bool _hasBegun;

        public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            var empties = !appends && !_hasBegun;
            await tools.AskAsync(
                ErrorCatalogue.GuestFileNotWritten, path, "Add-FileContent",
                [path, YesOrNo(empties), Convert.ToBase64String(_hasBegun ? [] : mark), Convert.ToBase64String(bytes.ToArray())],
                cancellationToken).ConfigureAwait(false);
            _hasBegun = true;
        }

        // One without content is made too.
        public Task CompleteAsync(CancellationToken cancellationToken) =>
            _hasBegun ? Task.CompletedTask : WriteAsync(default, cancellationToken);

        public ValueTask DisposeAsync() => default;
    }
}
