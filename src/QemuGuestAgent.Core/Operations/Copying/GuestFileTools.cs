using System.Globalization;
using System.Text;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations.Copying;

/// <summary>A file that an earlier copy left.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Hash">Its SHA-256, in hexadecimal digits.</param>
internal sealed record PartialFile(string Path, long Length, string Hash);

/// <summary>What the programs of a POSIX guest do for a copy: the agent has no command to list, rename, restrict, remove or sum up.</summary>
internal sealed class GuestFileTools
{
    // The guest keeps no more of a program's output; and so many folders go with one command.
    private const int FoldersAtOnce = 500;
    private const int EndlessDepth = 100_000;

    private const string Forbidden = "its agent's policy forbids guest-exec";

    private readonly GuestAgentSession _session;
    private readonly OperationTime _time;
    private readonly bool _findPrints;

    private GuestFileTools(GuestAgentSession session, OperationTime time, string found)
    {
        _session = session;
        _time = time;
        HasChecksum = found.Contains("sha256 ");
        _findPrints = found.Contains("printf ");
    }

    /// <summary>Whether the guest can compute the SHA-256 of a file.</summary>
    public bool HasChecksum { get; }

    /// <summary>Looks for the tools; null where there are none, and why.</summary>
    public static async Task<(GuestFileTools? Tools, string? Lack)> FindAsync(
        GuestAgentSession session, bool isWindows, OperationTime time, CancellationToken cancellationToken)
    {
        if (isWindows)
        {
            return (null, "it is a Windows guest");
        }

        // One that was frozen when it was asked may have thawed.
        if (session.Agent is { LooksFrozen: false } agent && (Forbids(agent, "guest-exec") || Forbids(agent, "guest-exec-status")))
        {
            return (null, Forbidden);
        }

        try
        {
            var end = await GuestTools.RunToolAsync(
                session, Shell(GuestFileScripts.Probe), time, cancellationToken).ConfigureAwait(false);
            var found = Encoding.ASCII.GetString(end.Output);
            return found.EndsWith("ok", StringComparison.Ordinal)
                ? (new GuestFileTools(session, time, found), null)
                : (null, "its /bin/sh is of no use");
        }
        catch (GuestAgentException e) when (e.ErrorId == ErrorCatalogue.ProcessNotStarted.Id)
        {
            return (null, "it has no /bin/sh");
        }
        catch (GuestAgentException e) when (
            e.ErrorId == ErrorCatalogue.CommandDisabled.Id || e.ErrorId == ErrorCatalogue.CommandNotFound.Id)
        {
            return (null, Forbidden);
        }
    }

    /// <summary>Lists items: those of a path, or of a shell's pattern, and with depth what is in them, folders before their content.</summary>
    public async Task<List<GuestItem>> ListAsync(string path, bool isPattern, bool isDeep, CancellationToken cancellationToken)
    {
        var depth = (isDeep ? EndlessDepth : 0).ToString(CultureInfo.InvariantCulture);
        var end = await GuestTools.RunGuardedToolAsync(
            _session, Shell(_findPrints ? GuestFileScripts.ListByPrinting : GuestFileScripts.ListByStat, depth, isPattern ? "y" : "n", path),
            _time, cancellationToken).ConfigureAwait(false);
        if (end.IsTruncated)
        {
            throw ErrorCatalogue.GuestFolderTooLarge.With(path, path, _session.Endpoint);
        }

        try
        {
            return GuestItem.Parse(end.Output);
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException)
        {
            throw ErrorCatalogue.GuestFileNotRead.Because(e, path, path, _session.Endpoint, e.Message);
        }
    }

    /// <summary>Makes a file, if it is not there, that only its owner can write to: one that the agent makes is everybody's.</summary>
    public Task CreateAsync(string path, CancellationToken cancellationToken) =>
        RunAsync(path, GuestFileScripts.Create, [path], cancellationToken);

    /// <summary>Closes a new file to all but its owner and gives it its name; removes it where its target is in the way.</summary>
    public Task SealAsync(string partial, string name, string target, bool replaces, CancellationToken cancellationToken) =>
        RunAsync(target, GuestFileScripts.Seal, [partial, name, target, replaces ? "y" : "n"], cancellationToken);

    /// <summary>Gives a whole file its place; whether it has got its mode and time.</summary>
    public async Task<bool> FinishAsync(
        string partial, string target, bool replaces, string hash, (int Mode, DateTime Modified) attributes,
        CancellationToken cancellationToken)
    {
        var end = await RunAsync(
            target, GuestFileScripts.Finish,
            [partial, target, replaces ? "y" : "n", HasChecksum ? hash : "", Octal(attributes.Mode), Seconds(attributes.Modified)],
            cancellationToken).ConfigureAwait(false);
        return end.Output.Length > 0;
    }

    /// <summary>The SHA-256 of the first so many bytes of a file, in hexadecimal digits.</summary>
    public async Task<string> HashAsync(string path, long length, CancellationToken cancellationToken)
    {
        var end = await RunAsync(path, GuestFileScripts.Hash, [path, Number(length)], cancellationToken).ConfigureAwait(false);
        return Encoding.ASCII.GetString(end.Output).Split(' ')[0];
    }

    /// <summary>Removes files, as far as the agent answers: for who has given up.</summary>
    public async Task RemoveAsync(params string[] paths)
    {
        try
        {
            await GuestTools.RunToolAsync(
                _session, Shell(GuestFileScripts.Remove, paths),
                new OperationTime(_session.Clock, new CallOptions { Timeout = GivenUp.CleanupTime }), CancellationToken.None)
                .ConfigureAwait(false);
        }
        catch (GuestAgentException)
        {
            // The agent does not answer: nothing can be done, and the caller is told why already.
        }
    }

    /// <summary>What earlier copies to a target left beside it.</summary>
    public async Task<List<PartialFile>> FindPartialsAsync(string folder, string prefix, CancellationToken cancellationToken)
    {
        var end = await RunAsync(
            folder, GuestFileScripts.Partials, [folder, prefix, PartialName.Suffix], cancellationToken).ConfigureAwait(false);
        return [.. Records(end.Output).Select(record => record.Split([' '], 3)).Select(
            fields => new PartialFile(fields[2], long.Parse(fields[0], CultureInfo.InvariantCulture), fields[1]))];
    }

    /// <summary>Takes over what an earlier copy left, under a new name, and removes the others.</summary>
    public Task AdoptAsync(string partial, string name, IEnumerable<string> others, CancellationToken cancellationToken) =>
        RunAsync(name, GuestFileScripts.Adopt, [partial, name, .. others], cancellationToken);

    /// <summary>Makes folders, parents first; returns which were not there.</summary>
    public async Task<HashSet<string>> MakeFoldersAsync(IReadOnlyList<string> paths, CancellationToken cancellationToken)
    {
        var made = new HashSet<string>(StringComparer.Ordinal);
        for (var done = 0; done < paths.Count; done += FoldersAtOnce)
        {
            var end = await RunAsync(
                paths[done], GuestFileScripts.MakeFolders, [.. paths.Skip(done).Take(FoldersAtOnce)], cancellationToken)
                .ConfigureAwait(false);
            made.UnionWith(Records(end.Output));
        }

        return made;
    }

    /// <summary>Gives folders their modes and times, once all is in them.</summary>
    public async Task FinishFoldersAsync(
        IReadOnlyList<(string Path, int Mode, DateTime Modified)> folders, CancellationToken cancellationToken)
    {
        for (var done = 0; done < folders.Count; done += FoldersAtOnce)
        {
            var arguments = folders.Skip(done).Take(FoldersAtOnce)
                .SelectMany(folder => new[] { folder.Path, Octal(folder.Mode), Seconds(folder.Modified) });
            await RunAsync(folders[done].Path, GuestFileScripts.FinishFolders, [.. arguments], cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<GuestExecutionStatus> RunAsync(
        string path, string script, string[] arguments, CancellationToken cancellationToken)
    {
        var end = await GuestTools.RunGuardedToolAsync(_session, Shell(script, arguments), _time, cancellationToken)
            .ConfigureAwait(false);
        return end.ExitCode switch
        {
            0 => end,
            GuestFileScripts.Exists => throw ErrorCatalogue.ItemExists.With(path, path, $"in the guest of '{_session.Endpoint}'"),
            GuestFileScripts.IsFolder => throw ErrorCatalogue.ItemIsFolder.With(path, path, $"in the guest of '{_session.Endpoint}'"),
            GuestFileScripts.Differs => throw ErrorCatalogue.ItemNotVerified.With(path, path, _session.Endpoint),
            _ => throw ErrorCatalogue.GuestFileNotWritten.With(
                path, path, _session.Endpoint, Encoding.UTF8.GetString(end.Errors).Trim()),
        };
    }

    private static bool Forbids(GuestAgentInfo agent, string command) =>
        !agent.Commands.TryGetValue(command, out var known) || !known.Enabled;

    private static IEnumerable<string> Records(byte[] output) =>
        Encoding.UTF8.GetString(output).Split('\0').Where(record => record.Length > 0);

    private static GuestExecution Shell(string script, params string[] arguments) =>
        new("/bin/sh", ["-c", script, "sh", .. arguments]);

    private static string Octal(int mode) => Convert.ToString(mode, 8);

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Seconds(DateTime moment) =>
        Math.Max(0, UnixTime.ToSeconds(moment)).ToString("0.0000000", CultureInfo.InvariantCulture);
}
