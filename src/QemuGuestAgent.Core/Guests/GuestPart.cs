namespace QemuGuestAgent.Core.Guests;

/// <summary>Where a file of a guest goes to.</summary>
/// <param name="Paths">How the guest writes paths.</param>
/// <param name="Root">The folder that was named, links and all.</param>
/// <param name="Way">The way down from there to the file's folder, through no link; empty for none.</param>
/// <param name="Name">The file's name.</param>
internal sealed record GuestTarget(GuestPath Paths, string Root, string Way, string Name)
{
    /// <summary>The whole path.</summary>
    public string Path => Paths.Join(Way.Length > 0 ? Paths.Join(Root, Way) : Root, Name);
}

/// <summary>How a part took its place.</summary>
/// <param name="IsAtomic">Whether all at once; else what was there was written to.</param>
/// <param name="Missing">What it has not got of its source's and its target's attributes; null where it has all.</param>
internal sealed record TakenPlace(bool IsAtomic, string? Missing);

/// <summary>
/// A file on its way to a guest, until it is whole: a part, in a private folder beside its target. Nobody else can open or exchange it
/// there; and where others can exchange the folder, all that is done looks first whether it is still the same.
/// </summary>
internal abstract class GuestPart(GuestTarget target, string folder, string name)
{
    /// <summary>The path of the part, without links.</summary>
    public string Path => Target.Paths.Join(Target.Paths.Join(Here, Folder), Name);

    /// <summary>The length of what an earlier copy left; zero for a new part.</summary>
    public long Length { get; protected init; }

    /// <summary>The SHA-256 of what an earlier copy left, in hexadecimal digits.</summary>
    public string Hash { get; protected init; } = "";

    /// <summary>The handle by which an earlier copy had the part open; null where there is no part.</summary>
    public virtual long? Handle => PartialName.HandleInPart(Name, Folder);

    /// <summary>The name of its private folder.</summary>
    public string Folder { get; } = folder;

    /// <summary>Whether something of earlier copies to the target was seen beside it when it was made.</summary>
    public bool HasOthers { get; protected set; }

    /// <summary>Where it goes to.</summary>
    protected GuestTarget Target { get; } = target;

    /// <summary>Its name there.</summary>
    protected string Name { get; set; } = name;

    /// <summary>The path of its target's folder, without links.</summary>
    protected string Here { get; set; } = "";

    /// <summary>Makes it, unless its target is not to be replaced.</summary>
    public Task MakeAsync(bool replaces, CancellationToken cancellationToken) => BeginAsync("", replaces, cancellationToken);

    /// <summary>Goes on with it where an earlier copy left it, under the handle that it is going to be open by.</summary>
    public Task AdoptAsync(long handle, bool replaces, CancellationToken cancellationToken)
    {
        var old = Name;
        Name = PartialName.Part(Folder, handle);
        return BeginAsync(old, replaces, cancellationToken);
    }

    /// <summary>Makes sure that it is what the agent has opened, and that the handle can be found again.</summary>
    public abstract Task OpenedAsync(long handle, CancellationToken cancellationToken);

    /// <summary>Gives it the place of its target, once it is whole.</summary>
    public abstract Task<TakenPlace> FinishAsync(
        bool replaces, string hash, (int Mode, DateTime Modified) attributes, CancellationToken cancellationToken);

    /// <summary>Removes it and its folder, as far as the agent answers.</summary>
    public abstract Task RemoveAsync();

    /// <summary>Makes it, or gives a part that was left (<paramref name="left"/>, empty for none) its new name.</summary>
    protected abstract Task BeginAsync(string left, bool replaces, CancellationToken cancellationToken);
}
