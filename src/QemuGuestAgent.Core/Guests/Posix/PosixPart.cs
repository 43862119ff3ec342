using System.Globalization;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>A part in a POSIX guest.</summary>
internal sealed class PosixPart : GuestPart
{
    private readonly PosixFileTools _tools;
    private bool _isSafe;

    // Where it goes once a link to there was followed.
    private GuestTarget _place;

    private PosixPart(PosixFileTools tools, GuestTarget target, string folder, string name)
        : base(target, folder, name) => (_tools, _place) = (tools, target);

    /// <summary>A new part, with the handle that it is going to be open by.</summary>
    public static PosixPart Create(PosixFileTools tools, GuestTarget target, long handle)
    {
        var folder = PartialName.CreateFolder(target.Name);
        return new PosixPart(tools, target, folder, PartialName.Part(folder, handle));
    }

    /// <summary>What earlier copies to a target left beside it; and the names of what others did.</summary>
    public static async Task<(List<GuestPart> Own, List<string> Foreign)> FindAsync(
        PosixFileTools tools, GuestTarget target, CancellationToken cancellationToken)
    {
        var end = await tools.RunAsync(
            target.Path, GuestPartScripts.Find, [target.Root, target.Way, PartialName.Prefix(target.Name), PartialName.Suffix, target.Name],
            cancellationToken).ConfigureAwait(false);
        var (own, foreign) = (new List<GuestPart>(), new List<string>());
        foreach (var fields in PosixFileTools.Records(end).Select(record => record.Split([' '], 3)).Where(fields => fields.Length == 3))
        {
            var isOwn = long.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out var length);
            var (folder, name) = isOwn
                ? (GuestPath.Posix.Folder(fields[2]).TrimEnd('/'), GuestPath.Posix.Name(fields[2]))
                : (fields[2], "");
            if (!PartialName.IsFolderOf(folder, target.Name))
            {
                continue;
            }

            if (isOwn)
            {
                own.Add(new PosixPart(tools, target, folder, name) { Length = length, Hash = fields[1] });
            }
            else
            {
                foreign.Add(folder);
            }
        }

        return ([.. own.OrderByDescending(part => part.Length)], foreign);
    }

    /// <inheritdoc/>
    public override async Task OpenedAsync(long handle, CancellationToken cancellationToken)
    {
        if (!_isSafe)
        {
            await RunAsync(GuestPartScripts.Verify, cancellationToken, Name).ConfigureAwait(false);
        }

        var name = PartialName.Part(Folder, handle);
        if (name != Name)
        {
            await RunAsync(GuestPartScripts.Rename, cancellationToken, Name, name).ConfigureAwait(false);
            Name = name;
        }
    }

    /// <inheritdoc/>
    public override async Task<TakenPlace> FinishAsync(
        bool replaces, string hash, (int Mode, DateTime Modified) attributes, CancellationToken cancellationToken)
    {
        try
        {
            var end = await RunAsync(
                GuestPartScripts.Finish, cancellationToken, Name, _place.Name, YesOrNo(replaces), _tools.HasChecksum ? hash : "",
                PosixFileTools.Octal(attributes.Mode), PosixFileTools.Seconds(attributes.Modified), _isSafe ? PosixFileTools.Safe : "",
                _tools.MoveOption).ConfigureAwait(false);
            var told = PosixFileTools.Text(end).Split(' ');
            var missing = told.Contains("bare") ? "the mode of its source" : null;
            return new TakenPlace(
                !told.Contains("written"),
                told.Contains("timed") ? missing : missing is null ? "the time of its source" : "the time and mode of its source");
        }
        catch (Exception)
        {
            // Where the script has ended by itself, it has done that already.
            await _tools.TryRunAsync(
                GuestPartScripts.PutBack, _place.Root, _place.Way, Folder, _place.Name, PartialName.PartSuffix(Folder)).ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public override Task RemoveAsync() => _tools.TryRunAsync(
        GuestPartScripts.Remove, _place.Root, _place.Way, Folder, PartialName.PartSuffix(Folder), _place.Name);

    /// <inheritdoc/>
    protected override async Task BeginAsync(string left, bool replaces, CancellationToken cancellationToken)
    {
        var end = await RunAsync(
            GuestPartScripts.Begin, cancellationToken, Name, Target.Name, YesOrNo(replaces), left).ConfigureAwait(false);
        if (PosixFileTools.Text(end).Split([' '], 3) is not [var safety, var kind, var path])
        {
            throw _tools.NotWritten(Target.Path, "its /bin/sh returned nothing.");
        }

        (_isSafe, Here) = (safety == PosixFileTools.Safe, GuestPath.Posix.Folder(path));
        if (kind == "link")
        {
            _place = new GuestTarget(GuestPath.Posix, Here, "", GuestPath.Posix.Name(path));
        }
    }

    private Task<GuestExecutionStatus> RunAsync(
        string script, CancellationToken cancellationToken, params string[] arguments) =>
        _tools.RunAsync(Target.Path, script, [_place.Root, _place.Way, Folder, .. arguments], cancellationToken);

    private static string YesOrNo(bool value) => value ? "y" : "n";
}
