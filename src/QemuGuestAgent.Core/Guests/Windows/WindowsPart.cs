using System.Globalization;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Guests.Windows;

/// <summary>A part in a Windows guest.</summary>
internal sealed class WindowsPart : GuestPart
{
    // Longer paths the agent does not open: it asks Windows in the old way.
    private const int MaxPath = 259;

    private readonly WindowsFileTools _tools;

    private WindowsPart(WindowsFileTools tools, GuestTarget target, string folder, string name)
        : base(target, folder, name) => _tools = tools;

    // Where a file of another name tells the handle: one that is open cannot be renamed.
    private string HandleName { get; init; } = "";

    /// <inheritdoc/>
    public override long? Handle => PartialName.HandleInPart(HandleName, Folder) ?? base.Handle;

    /// <summary>A new part, with the handle that it is going to be open by.</summary>
    public static WindowsPart Create(WindowsFileTools tools, GuestTarget target, long handle)
    {
        var folder = PartialName.CreateFolder(target.Name);
        return new WindowsPart(tools, target, folder, PartialName.Part(folder, handle));
    }

    /// <summary>What earlier copies to a target left beside it; and the names of what others did.</summary>
    public static async Task<(List<GuestPart> Own, List<string> Foreign)> FindAsync(
        WindowsFileTools tools, GuestTarget target, CancellationToken cancellationToken)
    {
        var fields = await tools.AskAsync(
            ErrorCatalogue.GuestFileNotWritten, target.Path, "Find-Part", [target.Root, target.Way, PartialName.Prefix(target.Name)],
            cancellationToken).ConfigureAwait(false);
        var (own, foreign) = (new List<GuestPart>(), new List<string>());
        for (var i = 0; i + 4 < fields.Count; i += 5)
        {
            var (folder, name) = (fields[i], fields[i + 1]);
            if (!PartialName.IsFolderOf(folder, target.Name))
            {
                continue;
            }

            if (long.TryParse(fields[i + 3], NumberStyles.None, CultureInfo.InvariantCulture, out var length))
            {
                own.Add(new WindowsPart(tools, target, folder, name) { HandleName = fields[i + 2], Length = length, Hash = fields[i + 4] });
            }
            else
            {
                foreign.Add(folder);
            }
        }

        return ([.. own.OrderByDescending(part => part.Length)], foreign);
    }

    /// <inheritdoc/>
    public override Task OpenedAsync(long handle, CancellationToken cancellationToken) =>
        AskAsync("Test-OpenPart", cancellationToken, Name, PartialName.Part(Folder, handle));

    /// <inheritdoc/>
    public override async Task<TakenPlace> FinishAsync(
        bool replaces, string hash, (int Mode, DateTime Modified) attributes, CancellationToken cancellationToken)
    {
        var missing = await AskAsync(
            "Complete-Part", cancellationToken, Name, Target.Name, WindowsFileTools.YesOrNo(replaces), hash,
            WindowsFileTools.Ticks(attributes.Modified)).ConfigureAwait(false);
        return new TakenPlace(true, missing.Count == 0 ? null : string.Join(" and ", missing));
    }

    /// <inheritdoc/>
    public override Task RemoveAsync() => _tools.TryAskAsync(
        "Remove-Part", Target.Root, Target.Way, Folder, PartialName.PartSuffix(Folder));

    /// <inheritdoc/>
    protected override async Task BeginAsync(string left, bool replaces, CancellationToken cancellationToken)
    {
        var told = await AskAsync(
            "Start-Part", cancellationToken, Name, Target.Name, WindowsFileTools.YesOrNo(replaces), left, PartialName.Prefix(Target.Name))
            .ConfigureAwait(false);
        (Here, HasOthers) = told is [var here, var others]
            ? (here, others == "y") : throw _tools.NotWritten(Target.Path, "its PowerShell returned something else.");
        if (Path.Length > MaxPath)
        {
            throw _tools.NotWritten(
                Target.Path, $"on its way it has a path of {Path.Length} characters, and its agent opens none of more than {MaxPath}.");
        }
    }

    private Task<IReadOnlyList<string>> AskAsync(string function, CancellationToken cancellationToken, params string[] arguments) =>
        _tools.AskAsync(
            ErrorCatalogue.GuestFileNotWritten, Target.Path, function, [Target.Root, Target.Way, Folder, .. arguments], cancellationToken);
}
