using System.Globalization;
using System.IO.Compression;
using System.Text;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Schema;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>A file that is to be written in place.</summary>
/// <param name="Path">Its path, without links.</param>
/// <param name="IsSafe">Whether no other user can change the folders on the way to it.</param>
/// <param name="IsNew">Whether it was made just now.</param>
internal sealed record GuestPlace(string Path, bool IsSafe, bool IsNew);

/// <summary>What the programs of a POSIX guest do for a copy.</summary>
internal sealed class PosixFileTools : GuestFileTools
{
    // The guest keeps no more of a program's output; this many folders fit into one command.
    private const int FoldersAtOnce = 500;

    // What an item takes here beside its path.
    private const int ItemSize = 100;

    // What a link says may be long: fewer fit.
    private const int LinksAtOnce = 100;
    private const int EndlessDepth = 100_000;

    /// <summary>What a script tells of a folder where others can change nothing on the way.</summary>
    public const string Safe = "safe";

    private const string Forbidden = "its agent's policy forbids guest-exec";

    private readonly OperationTime _time;
    private readonly bool _findPrints;
    private readonly bool _hasGzip;
    private readonly PosixPacks? _packs;

    private PosixFileTools(GuestAgentSession session, OperationTime time, string found)
        : base(session)
    {
        _time = time;
        HasChecksum = found.Contains("sha256 ");
        _hasGzip = found.Contains("gzip ");
        _findPrints = found.Contains("printf ");
        MoveOption = found.Contains("mv-T ") ? "-T" : "";
        if (HasChecksum && found.Contains("tar "))
        {
            _packs = new PosixPacks(session, found.Contains("tar-gnu "), MoveOption, time);
        }
    }

    /// <inheritdoc/>
    public override bool HasChecksum { get; }

    /// <inheritdoc/>
    public override bool TellsChanges => HasChecksum && _findPrints;

    /// <inheritdoc/>
    public override string Readable => "/dev/null";

    /// <inheritdoc/>
    public override bool LocksOpenFiles => false;

    /// <summary>How many bytes a list may take here: as many as a million items have.</summary>
    public int MaxListed { get; set; } = 256 << 20;

    /// <summary>The option by which mv takes no folder for its target; empty where it has none.</summary>
    public string MoveOption { get; }

    /// <summary>Looks for the tools; null where there are none, and why.</summary>
    public static async Task<(GuestFileTools? Tools, string? MissingReason)> FindAsync(
        GuestAgentSession session, OperationTime time, CancellationToken cancellationToken)
    {
        // One that was frozen when it was asked may have thawed.
        if (session.Agent is { LooksFrozen: false } agent && (Forbids(agent, "guest-exec") || Forbids(agent, "guest-exec-status")))
        {
            return (null, Forbidden);
        }

        try
        {
            var end = await session.RunToolAsync(Shell(GuestFileScripts.Probe), time, cancellationToken).ConfigureAwait(false);
            var found = Text(end);
            return found.EndsWith("ok", StringComparison.Ordinal)
                ? (new PosixFileTools(session, time, found), null)
                : (null, "its /bin/sh is not usable");
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.ProcessNotStarted))
        {
            return (null, "it has no /bin/sh");
        }
        catch (GuestAgentException e) when (
            e.Is(ErrorCatalogue.CommandDisabled) || e.Is(ErrorCatalogue.CommandNotFound))
        {
            return (null, Forbidden);
        }
    }

    /// <inheritdoc/>
    public override async Task<List<GuestItem>> ListAsync(
        string path, bool isPattern, bool isDeep, bool followsLinks, CancellationToken cancellationToken)
    {
        var depth = (isDeep ? EndlessDepth : 0).ToString(CultureInfo.InvariantCulture);
        var script = _findPrints ? GuestFileScripts.ListByPrinting : GuestFileScripts.ListByStat;
        var packs = _hasGzip && isDeep;
        var asked = isPattern ? GuestPattern.ShellPattern(path) : path;
        var list = Shell(script, depth, isPattern ? "y" : "n", followsLinks ? "-L" : "-H", packs ? Number(MaxListed) : "", asked);
        var end = await Session.RunGuardedToolAsync(list, _time, cancellationToken)
            .ConfigureAwait(false);
        if (end.IsTruncated)
        {
            throw ErrorCatalogue.GuestFolderTooLarge.With(path, Session.Endpoint);
        }

        return Parse(
            () =>
            {
                using var told = packs ? new GZipStream(new MemoryStream(end.Output), CompressionMode.Decompress) : (Stream)new MemoryStream(end.Output);
                var items = GuestItem.Parse(ReadList(told, path), GuestPath.Posix);
                GuestItem.Check(items, path, isPattern ? GuestPattern.Matcher(asked) : null, isDeep);
                return items;
            },
            path);
    }

    /// <inheritdoc/>
    public override async Task<IGuestWriter> OpenInPlaceAsync(
        string path, byte[] mark, bool appends, CancellationToken cancellationToken)
    {
        var place = await PrepareAsync(path, cancellationToken).ConfigureAwait(false);

        // Where others can put something else in its place, nothing is emptied or made until it is known what was opened.
        var mode = !place.IsSafe ? "r+" : appends ? "a" : "w";
        Func<Task>? verify = place.IsSafe ? null : () => CheckAsync(place, empties: !appends, cancellationToken);
        return await GuestFile.OpenInPlaceAsync(Session, place.Path, mode, verify, mark, _time, cancellationToken).ConfigureAwait(false);
    }

    // A short one may come of very little.
    private IEnumerable<string> ReadList(Stream told, string path)
    {
        var (buffer, record, size) = (new byte[64 << 10], new MemoryStream(), 0L);
        for (int count; (count = told.Read(buffer, 0, buffer.Length)) > 0;)
        {
            for (int at = 0, end; at < count; at = end + 1)
            {
                end = Array.IndexOf(buffer, (byte)0, at, count - at) is var zero and >= 0 ? zero : count;
                record.Write(buffer, at, end - at);
                if (size + record.Length > MaxListed)
                {
                    throw ErrorCatalogue.GuestFolderTooLarge.With(path, Session.Endpoint);
                }

                if (end < count)
                {
                    size += record.Length + ItemSize;
                    yield return Taken(record);
                }
            }
        }

        yield return Taken(record);
    }

    private static string Taken(MemoryStream record)
    {
        var text = Encoding.UTF8.GetString(record.GetBuffer(), 0, (int)record.Length);
        record.SetLength(0);
        return text;
    }

    // Finds a file to be written in place; makes it, if it is not there, for its owner alone: one that the agent makes is everybody's.
    private async Task<GuestPlace> PrepareAsync(string path, CancellationToken cancellationToken)
    {
        var end = await RunAsync(path, GuestFileScripts.Prepare, [path], cancellationToken).ConfigureAwait(false);
        return Text(end).Split([' '], 3) is [var safety, var age, var found]
            ? new GuestPlace(found, safety == Safe, age == "new")
            : throw ErrorCatalogue.GuestFileNotWritten.With(path, Session.Endpoint, "its /bin/sh returned nothing.");
    }

    // Ends in an error where what the agent has opened is not that file; empties it if asked to.
    private Task<GuestExecutionStatus> CheckAsync(GuestPlace place, bool empties, CancellationToken cancellationToken) =>
        RunAsync(
            place.Path, GuestFileScripts.Check, [place.Path, place.IsNew ? "new" : "old", empties ? "y" : "n"], cancellationToken);

    /// <inheritdoc/>
    public override async Task<(string Hash, string State)> HashHeldAsync(string root, string way, long? length, CancellationToken cancellationToken)
    {
        var end = await RunAsync(
            way.Length > 0 ? GuestPath.Posix.Join(root, way) : root, GuestFileScripts.Held,
            [root, way, length is { } bytes ? Number(bytes) : "", _findPrints ? "y" : "n"], cancellationToken).ConfigureAwait(false);
        var told = Text(end).Split(' ');
        return (told.Length > 1 ? told[1] : "", told[0]);
    }

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<string>> HashAsync(string root, IReadOnlyList<string> ways, CancellationToken cancellationToken) =>
        Text(await RunAsync(root, GuestFileScripts.Sums, [root, .. ways], cancellationToken).ConfigureAwait(false)).Split('\0');

    /// <inheritdoc/>
    public override async Task<Dictionary<string, string>> MakeFoldersAsync(
        string root, IReadOnlyList<string> ways, CancellationToken cancellationToken)
    {
        var made = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var done = 0; done < ways.Count; done += FoldersAtOnce)
        {
            var end = await RunAsync(
                GuestPath.Posix.Join(root, ways[done]), GuestFileScripts.MakeFolders,
                [root, .. ways.Skip(done).Take(FoldersAtOnce)], cancellationToken).ConfigureAwait(false);
            var told = Records(end);
            for (var i = 0; i + 1 < told.Count; i += 2)
            {
                made[told[i + 1]] = told[i];
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
            var arguments = folders.Skip(done).Take(FoldersAtOnce)
                .SelectMany(folder => new[] { folder.Known, folder.Way, Octal(folder.Mode), Seconds(folder.Modified) });
            failed.AddRange(Records(await RunAsync(root, GuestFileScripts.FinishFolders, [root, .. arguments], cancellationToken)
                .ConfigureAwait(false)));
        }

        return failed;
    }

    /// <inheritdoc/>
    public override bool MakesLinks => true;

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<GuestAgentException>> MakeLinksAsync(
        string root, IReadOnlyList<(string Way, string Target)> links, bool replaces, CancellationToken cancellationToken)
    {
        var failed = new List<GuestAgentException>();
        for (var done = 0; done < links.Count; done += LinksAtOnce)
        {
            var arguments = links.Skip(done).Take(LinksAtOnce).SelectMany(link => new[] { link.Way, link.Target });
            var end = await RunAsync(
                root, GuestFileScripts.MakeLinks, [root, replaces ? "y" : "n", MoveOption.Length > 0 ? MoveOption : "-n", .. arguments], cancellationToken)
                .ConfigureAwait(false);
            var told = Text(end).Split('\0');
            for (var i = 0; i + 2 < told.Length; i += 3)
            {
                var code = int.TryParse(told[i], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : (int?)null;
                failed.Add(Failure(GuestPath.Posix.Join(root, told[i + 1]), code, "", told[i + 2]));
            }
        }

        return failed;
    }

    /// <inheritdoc/>
    public override bool Packs(string name) => _packs is not null && PosixPacks.Takes(name);

    /// <inheritdoc/>
    public override Task<IReadOnlyDictionary<PackedFile, string?>> SendPackAsync(
        string root, string name, IReadOnlyList<PackedFile> files, bool replaces, CancellationToken cancellationToken) =>
        _packs!.SendAsync(root, name, files, replaces, cancellationToken);

    /// <inheritdoc/>
    public override Task<IReadOnlyDictionary<GuestItem, ReadOnlyMemory<byte>>> ReceivePackAsync(
        string root, IReadOnlyList<GuestItem> items, CancellationToken cancellationToken) => _packs!.ReceiveAsync(root, items, cancellationToken);

    /// <inheritdoc/>
    public override GuestPart CreatePart(GuestTarget target, long handle) => PosixPart.Create(this, target, handle);

    /// <inheritdoc/>
    public override Task<(List<GuestPart> Own, List<string> Foreign)> FindPartsAsync(
        GuestTarget target, CancellationToken cancellationToken) => PosixPart.FindAsync(this, target, cancellationToken);

    /// <summary>Runs a script as far as the agent answers, for a caller that has cancelled.</summary>
    public Task TryRunAsync(string script, params string[] arguments) => Session.TryRunToolAsync(Shell(script, arguments));

    /// <summary>Runs a script; a failure of it is one of the file with that path.</summary>
    public async Task<GuestExecutionStatus> RunAsync(
        string path, string script, string[] arguments, CancellationToken cancellationToken)
    {
        var end = await Session.RunGuardedToolAsync(Shell(script, arguments), _time, cancellationToken)
            .ConfigureAwait(false);
        return end.ExitCode == 0 ? end : throw Failure(path, end.ExitCode, Text(end), Encoding.UTF8.GetString(end.Errors));
    }

    /// <summary>That a file could not be written.</summary>
    public GuestAgentException NotWritten(string path, string reason) => ErrorCatalogue.GuestFileNotWritten.With(path, Session.Endpoint, reason);

    private GuestAgentException Failure(string path, int? exitCode, string told, string reason) => exitCode switch
    {
        GuestFileScripts.Exists => ErrorCatalogue.ItemExists.With(path, There, WhatExists(told)),
        GuestFileScripts.NotFile => ErrorCatalogue.ItemNotFile.With(path, There),
        GuestFileScripts.IsFolder => ErrorCatalogue.ItemIsFolder.With(path, There),
        GuestFileScripts.Differs => ErrorCatalogue.ItemNotVerified.With(path, Session.Endpoint),
        GuestFileScripts.Replaced => ErrorCatalogue.ItemReplaced.With(path, Session.Endpoint),
        GuestFileScripts.NoProc => ErrorCatalogue.GuestFolderUnsafe.With(path, Session.Endpoint),
        GuestFileScripts.NoFolder => ErrorCatalogue.GuestItemNotFound.WithTarget(path, GuestPath.Posix.Folder(path), Session.Endpoint),
        _ => NotWritten(path, reason.Trim()),
    };

    // Whose it is and when it was changed, as stat told: the owner's number, the time, and the owner's name.
    private static string WhatExists(string told) =>
        told.TrimEnd('\n').Split([' '], 3) is [var number, var time, var name]
        && uint.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out _)
        && long.TryParse(time, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds)
        && seconds is > 0 and < 9_000_000_000
            ? ExistingFile.Describe(name is "" or "UNKNOWN" ? number : name, UnixTime.FromNanoseconds(seconds * 1_000_000_000))
            : "";

    private static bool Forbids(GuestAgentInfo agent, string command) =>
        !agent.Commands.TryGetValue(command, out var known) || !known.Enabled;

    /// <summary>What a script wrote.</summary>
    public static string Text(GuestExecutionStatus end) => Encoding.UTF8.GetString(end.Output);

    /// <summary>The records that a script wrote, each with a zero at its end.</summary>
    public static List<string> Records(GuestExecutionStatus end) => [.. Text(end).Split('\0').Where(record => record.Length > 0)];

    /// <summary>Permissions as chmod takes them.</summary>
    public static string Octal(int mode) => Convert.ToString(mode, 8);

    /// <summary>A moment as touch takes it.</summary>
    public static string Seconds(DateTime moment) =>
        Math.Max(0, UnixTime.ToSeconds(moment)).ToString("0.0000000", CultureInfo.InvariantCulture);

    /// <summary>A run of a script.</summary>
    public static GuestExecution Shell(string script, params string[] arguments) =>
        new("/bin/sh", ["-c", script, "sh", .. arguments]);

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
