using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests;

/// <summary>What programs of a guest do for a copy: the agent has no command to list, rename, restrict, remove or sum up.</summary>
internal abstract class GuestFileTools(GuestAgentSession session)
{
    /// <summary>Whether the guest can compute the SHA-256 of a file.</summary>
    public abstract bool HasChecksum { get; }

    /// <summary>A file that can be opened in every such guest.</summary>
    public abstract string Readable { get; }

    /// <summary>Whether a file that the agent has open is locked for all others.</summary>
    public abstract bool LocksOpenFiles { get; }

    /// <summary>The session with the guest's agent.</summary>
    private protected GuestAgentSession Session { get; } = session;

    /// <summary>Where the guest is, for errors.</summary>
    private protected string There => $"in the guest of '{Session.Endpoint}'";

    /// <summary>Lists items, and with depth what is in them, folders before their content.</summary>
    /// <param name="path">Their path.</param>
    /// <param name="isPattern">Whether it has PowerShell's wildcards.</param>
    /// <param name="isDeep">Whether what is in folders is listed too.</param>
    /// <param name="followsLinks">Whether links in folders are listed as what they lead to.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public abstract Task<List<GuestItem>> ListAsync(
        string path, bool isPattern, bool isDeep, bool followsLinks, CancellationToken cancellationToken);

    /// <summary>Opens a file to be written in place; it is made, if it is not there.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="mark">What stands at its beginning, before all else.</param>
    /// <param name="appends">Whether what is there stays.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public abstract Task<IGuestWriter> OpenInPlaceAsync(string path, byte[] mark, bool appends, CancellationToken cancellationToken);

    /// <summary>Whether the guest tells of each change of a file that is read.</summary>
    public virtual bool TellsChanges => false;

    /// <summary>
    /// Ends in an error where a file that the agent has opened is not the item, with no link on the way down from its root; the
    /// SHA-256 of its first bytes, in hexadecimal digits, if a length is given.
    /// </summary>
    /// <returns>The checksum, and what changes with the file; each empty where it is not told.</returns>
    public abstract Task<(string Hash, string State)> HashHeldAsync(string root, string way, long? length, CancellationToken cancellationToken);

    /// <summary>The SHA-256 of files below a folder, each of its way through no link; empty where there is no such file.</summary>
    public abstract Task<IReadOnlyList<string>> HashAsync(string root, IReadOnlyList<string> ways, CancellationToken cancellationToken);

    /// <summary>Makes folders below one, parents first; returns which were not there, and by what they are known again.</summary>
    public abstract Task<Dictionary<string, string>> MakeFoldersAsync(
        string root, IReadOnlyList<string> ways, CancellationToken cancellationToken);

    /// <summary>Gives folders their modes and times, once all is in them; returns those where that failed.</summary>
    public abstract Task<IReadOnlyList<string>> FinishFoldersAsync(
        string root, IReadOnlyList<(string Known, string Way, int Mode, DateTime Modified)> folders, CancellationToken cancellationToken);

    /// <summary>Whether links can be made there.</summary>
    public virtual bool MakesLinks => false;

    /// <summary>Makes links below a folder; returns the errors of those that failed.</summary>
    /// <param name="root">The folder that was named.</param>
    /// <param name="links">The way to each, through no link, and where it leads.</param>
    /// <param name="replaces">Whether other links that are there are replaced.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public virtual Task<IReadOnlyList<GuestAgentException>> MakeLinksAsync(
        string root, IReadOnlyList<(string Way, string Target)> links, bool replaces, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>Whether a small file of that name can be copied together with others.</summary>
    public virtual bool Packs(string name) => false;

    /// <summary>Whether a file of no length is empty: else its content may be made when it is read.</summary>
    public virtual bool TellsEmpty => false;

    /// <summary>
    /// Sends small files at once, each verified by its SHA-256. Returns those that are there now, whole at any moment, and what each has not
    /// got of its attributes (null where it has all): the others were not touched, for whatever reason.
    /// </summary>
    /// <param name="root">The folder that was named.</param>
    /// <param name="name">A name for what is beside them meanwhile.</param>
    /// <param name="files">The files, each of which <see cref="Packs"/>.</param>
    /// <param name="replaces">Whether what is there is replaced.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public virtual Task<IReadOnlyDictionary<PackedFile, string?>> SendPackAsync(
        string root, string name, IReadOnlyList<PackedFile> files, bool replaces, CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <summary>Receives small files of a folder at once; returns those that came as they were listed, read through no link on the way.</summary>
    /// <param name="root">The folder that was named.</param>
    /// <param name="items">The files, each of which <see cref="Packs"/>.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public virtual Task<IReadOnlyDictionary<GuestItem, ReadOnlyMemory<byte>>> ReceivePackAsync(
        string root, IReadOnlyList<GuestItem> items, CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <summary>A new part, with the handle that it is going to be open by.</summary>
    public abstract GuestPart CreatePart(GuestTarget target, long handle);

    /// <summary>What earlier copies to a target left beside it, the longest first; and the names of what others did.</summary>
    public abstract Task<(List<GuestPart> Own, List<string> Foreign)> FindPartsAsync(GuestTarget target, CancellationToken cancellationToken);

    /// <summary>Ends in an error that says why the agent could not open a file to read it, where that is known.</summary>
    public virtual Task ExplainAsync(string path, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The items of a list that the guest told, which are only what was asked for.</summary>
    /// <param name="parse">Reads the list.</param>
    /// <param name="path">What was asked for, for errors.</param>
    /// <exception cref="GuestAgentException">GuestFileNotRead.</exception>
    private protected List<GuestItem> Parse(Func<List<GuestItem>> parse, string path)
    {
        try
        {
            return parse();
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException or InvalidDataException)
        {
            throw ErrorCatalogue.GuestFileNotRead.Because(e, path, Session.Endpoint, e.Message);
        }
    }
}
