using System.Globalization;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>A part in a POSIX guest.</summary>
internal sealed class PosixPart : GuestPart
{
    private readonly PosixFileTools _tools;
    private bool _isSafe;

    private PosixPart(PosixFileTools tools, GuestTarget target, string folder, string name)
        : base(target, folder, name) => _tools = tools;

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
            target.Path, GuestPartScripts.Find, [target.Root, target.Way, PartialName.Prefix(target.Name), PartialName.Suffix],
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
    public override async Task<string?> FinishAsync(
        bool replaces, string hash, (int Mode, DateTime Modified) attributes, CancellationToken cancellationToken)
    {
        var end = await RunAsync(
            GuestPartScripts.Finish, cancellationToken, Name, Target.Name, YesOrNo(replaces), _tools.HasChecksum ? hash : "",
            PosixFileTools.Octal(attributes.Mode), PosixFileTools.Seconds(attributes.Modified), _isSafe ? PosixFileTools.Safe : "",
            _tools.MoveOption).ConfigureAwait(false);
        return end.Output.Length > 0 ? null : "the time and mode of its source";
    }

    /// <inheritdoc/>
    public override Task RemoveAsync() => _tools.TryRunAsync(
        GuestPartScripts.Remove, Target.Root, Target.Way, Folder, PartialName.PartSuffix(Folder));

    /// <inheritdoc/>
    protected override async Task BeginAsync(string left, bool replaces, CancellationToken cancellationToken)
    {
        var end = await RunAsync(
            GuestPartScripts.Begin, cancellationToken, Name, Target.Name, YesOrNo(replaces), left).ConfigureAwait(false);
        var told = PosixFileTools.Text(end).Split([' '], 2);
        (_isSafe, Here) = (told[0] == PosixFileTools.Safe, told[told.Length - 1]);
    }

    private Task<GuestExecutionStatus> RunAsync(
        string script, CancellationToken cancellationToken, params string[] arguments) =>
        _tools.RunAsync(Target.Path, script, [Target.Root, Target.Way, Folder, .. arguments], cancellationToken);

    private static string YesOrNo(bool value) => value ? "y" : "n";
}
