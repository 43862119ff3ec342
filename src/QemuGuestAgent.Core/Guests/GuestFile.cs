using System.Text.Json;
using System.Text.RegularExpressions;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests;

/// <summary>A file that the agent of a guest holds open. It must be disposed of, or the agent holds it until it ends.</summary>
internal sealed class GuestFile : IGuestWriter
{
    // Of qga/commands-posix.c and commands-win32.c.
    private const string HandleUnknown = "^handle '[0-9]+' has not been found";

    private readonly GuestAgentSession _session;
    private readonly OperationTime _time;
    private bool _isClosed;

    private GuestFile(GuestAgentSession session, string path, long handle, OperationTime time)
    {
        _session = session;
        Path = path;
        Handle = handle;
        _time = time;
        session.OpenFiles.Add(handle);
    }

    /// <summary>The file, as it was opened.</summary>
    public string Path { get; }

    /// <summary>The agent's number for it. The next that is opened gets the next number.</summary>
    public long Handle { get; }

    /// <summary>Opens a file. If that is cancelled, nothing stays open.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="path">The path of the file in the guest.</param>
    /// <param name="mode">One of fopen's modes.</param>
    /// <param name="time">The operation's time.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="GuestAgentException">GuestFileNotOpened, ArgumentTextInvalid, and those of a command.</exception>
    public static async Task<GuestFile> OpenAsync(
        GuestAgentSession session, string path, string mode, OperationTime time, CancellationToken cancellationToken)
    {
        var request = FileCommands.OpenRequest(path, mode);
        try
        {
            var handle = await session.InvokeAsync(
                request, static (ref Utf8JsonReader reader) => reader.GetInt64(), time.Command(), cancellationToken)
                .ConfigureAwait(false);
            return new GuestFile(session, path, handle, time);
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.AgentError))
        {
            throw Failure(ErrorCatalogue.GuestFileNotOpened, e, path, session);
        }
        catch (Exception e) when (AbandonedCall.IsUnanswered(e))
        {
            await session.UndoAsync(
                request, late => new GuestFile(session, path, late.GetInt64(), time).DisposeAsync().AsTask())
                .ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Opens a file to be written in place.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="path">The path of the file in the guest.</param>
    /// <param name="mode">One of fopen's modes.</param>
    /// <param name="verify">What is to be done before anything is written, or null for nothing.</param>
    /// <param name="mark">What stands at the beginning of the file, if it is empty then.</param>
    /// <param name="time">The operation's time.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="GuestAgentException">GuestFileNotOpened, GuestFileNotWritten, and those of a command.</exception>
    public static async Task<GuestFile> OpenInPlaceAsync(
        GuestAgentSession session, string path, string mode, Func<Task>? verify, byte[] mark, OperationTime time,
        CancellationToken cancellationToken)
    {
        var file = await OpenAsync(session, path, mode, time, cancellationToken).ConfigureAwait(false);
        try
        {
            if (verify is not null)
            {
                await verify().ConfigureAwait(false);
            }

            if (mode != "w" && (mode != "a" || mark.Length > 0) && await file.SeekEndAsync(cancellationToken).ConfigureAwait(false) > 0)
            {
                return file;
            }

            if (mark.Length > 0)
            {
                await file.WriteAsync(mark, cancellationToken).ConfigureAwait(false);
            }

            return file;
        }
        catch (Exception)
        {
            await file.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Reads on, up to a number of bytes; returns how many. Fewer come where there are no more now; none at its end.</summary>
    /// <param name="buffer">Where they go.</param>
    /// <param name="count">How many at the most.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="GuestAgentException">GuestFileNotRead, and those of a command.</exception>
    public Task<int> ReadAsync(byte[] buffer, int count, CancellationToken cancellationToken) =>
        Try(ErrorCatalogue.GuestFileNotRead, () => _session.ReadFileAsync(
            Handle, buffer, count, _time.Command(), cancellationToken));

    Task IGuestWriter.WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => WriteAsync(bytes, cancellationToken);

    /// <summary>Writes on, all of it or it fails.</summary>
    /// <param name="bytes">What to write.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="GuestAgentException">GuestFileNotWritten, and those of a command.</exception>
    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var count = await Try(ErrorCatalogue.GuestFileNotWritten, () => _session.WriteFileAsync(
            Handle, bytes, _time.Command(), cancellationToken)).ConfigureAwait(false);
        if (count != bytes.Length)
        {
            throw ErrorCatalogue.GuestFileNotWritten.With(
                PartialName.Shown(Path), _session.Endpoint, $"it accepted {count} of {bytes.Length} bytes.");
        }
    }

    /// <summary>Moves to a position, in bytes from the start.</summary>
    /// <exception cref="GuestAgentException">GuestFileNotRead, and those of a command.</exception>
    public Task SeekAsync(long position, CancellationToken cancellationToken) => SeekAsync(position, "set", cancellationToken);

    /// <summary>Moves to the end; returns its position: the length. Files that the guest makes when they are read have 0.</summary>
    /// <exception cref="GuestAgentException">GuestFileNotRead, and those of a command.</exception>
    public Task<long> SeekEndAsync(CancellationToken cancellationToken) => SeekAsync(0, "end", cancellationToken);

    /// <summary>Closes it once all that was written has gone to the guest's file system.</summary>
    /// <exception cref="GuestAgentException">GuestFileNotWritten, and those of a command.</exception>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        await Try(ErrorCatalogue.GuestFileNotWritten, async () =>
        {
            await _session.FlushFileAsync(Handle, _time.Command(), cancellationToken).ConfigureAwait(false);

            // Never twice: an agent whose close has failed frees the file again at the next one.
            LetGo();
            await _session.CloseFileAsync(Handle, _time.Command(), CancellationToken.None).ConfigureAwait(false);
            return true;
        }).ConfigureAwait(false);
    }

    /// <summary>Closes it, as far as the agent answers.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isClosed)
        {
            return;
        }

        LetGo();
        await AbandonedCall.CleanUpAsync(() => _session.CloseFileAsync(
            Handle, new CallOptions { Timeout = AbandonedCall.CleanupTime }, CancellationToken.None)).ConfigureAwait(false);
    }

    /// <summary>Hands it over: it stays open, and somebody else closes it by its number.</summary>
    public void Release() => LetGo();

    private void LetGo()
    {
        _isClosed = true;
        _session.OpenFiles.Remove(Handle);
    }

    private Task<long> SeekAsync(long offset, string whence, CancellationToken cancellationToken) =>
        Try(ErrorCatalogue.GuestFileNotRead, () => _session.SeekFileAsync(
            Handle, offset, whence, _time.Command(), cancellationToken));

    // The path of a part says nothing to the user.
    private static GuestAgentException Failure(ErrorDefinition error, GuestAgentException e, string path, GuestAgentSession session)
    {
        var shown = PartialName.Shown(path);
        return error.Because(e, shown, session.Endpoint, e.AgentErrorText!.Replace(path, shown));
    }

    private async Task<T> Try<T>(ErrorDefinition error, Func<Task<T>> command)
    {
        try
        {
            return await command().ConfigureAwait(false);
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.AgentError))
        {
            throw Failure(Regex.IsMatch(e.AgentErrorText!, HandleUnknown) ? ErrorCatalogue.GuestFileLost : error, e, Path, _session);
        }
    }
}
