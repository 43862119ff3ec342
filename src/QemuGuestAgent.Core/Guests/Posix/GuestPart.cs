using System.Globalization;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>Where a file of a POSIX guest goes to.</summary>
/// <param name="Root">The folder that was named, links and all.</param>
/// <param name="Way">The way down from there to the file's folder, through no link; empty for none.</param>
/// <param name="Name">The file's name.</param>
internal sealed record GuestTarget(string Root, string Way, string Name)
{
    /// <summary>The whole path.</summary>
    public string Path => GuestPath.Posix.Join(Way.Length > 0 ? GuestPath.Posix.Join(Root, Way) : Root, Name);
}

/// <summary>
/// A file on its way to a guest, until it is whole: a part, in a private folder beside its target. Nobody else can open or exchange it
/// there; and where others can exchange the folder, all that is done looks first whether it is still the same.
/// </summary>
internal sealed class GuestPart
{
    private readonly GuestFileTools _tools;
    private readonly GuestTarget _target;
    private readonly string _folder;
    private string _name;
    private string _here = "";

    private GuestPart(GuestFileTools tools, GuestTarget target, string folder, string name)
    {
        _tools = tools;
        _target = target;
        _folder = folder;
        _name = name;
    }

    /// <summary>Whether others cannot change what is on the way there; else what the agent opens must be verified.</summary>
    public bool IsSafe { get; private set; }

    /// <summary>The path of the part, without links.</summary>
    public string Path => GuestPath.Posix.Join(GuestPath.Posix.Join(_here, _folder), _name);

    /// <summary>The length of what an earlier copy left; zero for a new part.</summary>
    public long Length { get; private init; }

    /// <summary>The SHA-256 of what an earlier copy left, in hexadecimal digits.</summary>
    public string Hash { get; private init; } = "";

    /// <summary>The handle in the name of a part that an earlier copy left; null where there is no part.</summary>
    public long? Handle => PartialName.HandleInPart(_name, _folder);

    /// <summary>A new part, with the handle that it is going to be open by.</summary>
    public static GuestPart Create(GuestFileTools tools, GuestTarget target, long handle)
    {
        var folder = PartialName.CreateFolder(target.Name);
        return new GuestPart(tools, target, folder, PartialName.Part(folder, handle));
    }

    /// <summary>What earlier copies to a target left beside it; and the names of what others did.</summary>
    public static async Task<(List<GuestPart> Own, List<string> Foreign)> FindAsync(
        GuestFileTools tools, GuestTarget target, CancellationToken cancellationToken)
    {
        var end = await tools.RunAsync(
            target.Path, GuestPartScripts.Find, [target.Root, target.Way, PartialName.Prefix(target.Name), PartialName.Suffix],
            cancellationToken).ConfigureAwait(false);
        var (own, foreign) = (new List<GuestPart>(), new List<string>());
        foreach (var fields in GuestFileTools.Records(end).Select(record => record.Split([' '], 3)).Where(fields => fields.Length == 3))
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
                own.Add(new GuestPart(tools, target, folder, name) { Length = length, Hash = fields[1] });
            }
            else
            {
                foreign.Add(folder);
            }
        }

        return ([.. own.OrderByDescending(part => part.Length)], foreign);
    }

    /// <summary>Makes it, unless its target is not to be replaced.</summary>
    public Task MakeAsync(bool replaces, CancellationToken cancellationToken) => BeginAsync("", replaces, cancellationToken);

    /// <summary>Goes on with it where an earlier copy left it, under the handle that it is going to be open by.</summary>
    public Task AdoptAsync(long handle, bool replaces, CancellationToken cancellationToken)
    {
        var old = _name;
        _name = PartialName.Part(_folder, handle);
        return BeginAsync(old, replaces, cancellationToken);
    }

    /// <summary>Makes sure that it is what the agent has opened, and that its name tells the handle.</summary>
    public async Task OpenedAsync(long handle, CancellationToken cancellationToken)
    {
        if (!IsSafe)
        {
            await RunAsync(GuestPartScripts.Verify, cancellationToken, _name).ConfigureAwait(false);
        }

        var name = PartialName.Part(_folder, handle);
        if (name != _name)
        {
            await RunAsync(GuestPartScripts.Rename, cancellationToken, _name, name).ConfigureAwait(false);
            _name = name;
        }
    }

    /// <summary>Gives it the place of its target, once it is whole; whether it has got its mode and time.</summary>
    public async Task<bool> FinishAsync(
        bool replaces, string hash, (int Mode, DateTime Modified) attributes, CancellationToken cancellationToken)
    {
        var end = await RunAsync(
            GuestPartScripts.Finish, cancellationToken, _name, _target.Name, YesOrNo(replaces), _tools.HasChecksum ? hash : "",
            GuestFileTools.Octal(attributes.Mode), GuestFileTools.Seconds(attributes.Modified), IsSafe ? GuestFileTools.Safe : "",
            _tools.MoveOption).ConfigureAwait(false);
        return end.Output.Length > 0;
    }

    /// <summary>Removes it and its folder, as far as the agent answers.</summary>
    public Task RemoveAsync() => _tools.TryRunAsync(
        GuestPartScripts.Remove, _target.Root, _target.Way, _folder, PartialName.PartSuffix(_folder));

    private async Task BeginAsync(string left, bool replaces, CancellationToken cancellationToken)
    {
        var end = await RunAsync(
            GuestPartScripts.Begin, cancellationToken, _name, _target.Name, YesOrNo(replaces), left).ConfigureAwait(false);
        var told = GuestFileTools.Text(end).Split([' '], 2);
        (IsSafe, _here) = (told[0] == GuestFileTools.Safe, told[told.Length - 1]);
    }

    private Task<GuestExecutionStatus> RunAsync(
        string script, CancellationToken cancellationToken, params string[] arguments) =>
        _tools.RunAsync(_target.Path, script, [_target.Root, _target.Way, _folder, .. arguments], cancellationToken);

    private static string YesOrNo(bool value) => value ? "y" : "n";
}
