using System.Buffers.Binary;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Windows;

/// <summary>What comes or goes through a pipe at once.</summary>
/// <param name="Kind">A letter; Pipe.ps1's callers say what each means.</param>
/// <param name="Content">The bytes.</param>
internal readonly record struct PipeFrame(char Kind, byte[] Content);

/// <summary>
/// A named pipe of a Windows guest that a script of ours serves there. Its agent does not wait in it: a read of an empty pipe is an
/// error without a number, in the guest's language, and a write takes what there is room for. For one caller at a time.
/// </summary>
internal sealed class WindowsPipe
{
    private const string Folder = @"\\.\pipe\";
    private const int HeadBytes = 5;

    // As much as the pipe holds.
    private const int PieceBytes = 256 << 10;

    // A list of all files of a guest is long, but not without end.
    private const int MaxFrame = 256 << 20;

    private readonly GuestAgentSession _session;
    private readonly string _emptyText;
    private readonly Queue<byte[]> _unwritten = new();
    private readonly byte[] _buffer = new byte[PieceBytes];
    private byte[] _held = [];
    private int _written;

    private WindowsPipe(GuestAgentSession session, long handle, string emptyText)
    {
        _session = session;
        Handle = handle;
        _emptyText = emptyText;
    }

    /// <summary>The agent's number for it.</summary>
    public long Handle { get; }

    /// <summary>Why nothing comes or goes any more: the other side has gone; null while it is there.</summary>
    public string? EndReason { get; private set; }

    /// <summary>A name that nobody guesses: whoever made a pipe of that name first would be spoken with.</summary>
    public static string NewName() => $"qemu-guest-agent-{Guid.NewGuid():N}";

    /// <summary>Opens a pipe whose server has said nothing yet. If that is cancelled, nothing stays open.</summary>
    /// <exception cref="GuestAgentException">GuestFileNotOpened: there is no such pipe yet; GuestPowerShellLost; those of a command.</exception>
    public static async Task<WindowsPipe> OpenAsync(
        GuestAgentSession session, string name, OperationTime time, CancellationToken cancellationToken)
    {
        // Not for reading alone: then a read would wait, and the agent, which has one thread, with it.
        var file = await GuestFile.OpenAsync(session, Folder + name, "r+", time, cancellationToken).ConfigureAwait(false);
        try
        {
            await session.ReadFileAsync(file.Handle, new byte[1], 1, time.Command(), cancellationToken).ConfigureAwait(false);
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.AgentError))
        {
            file.Release();
            session.OpenFiles.AddKept(file.Handle);
            return new WindowsPipe(session, file.Handle, e.AgentErrorText!);
        }
        catch
        {
            await file.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        await file.DisposeAsync().ConfigureAwait(false);
        throw ErrorCatalogue.GuestPowerShellLost.With(session.Endpoint, "something else answers in its pipe.");
    }

    /// <summary>Adds a frame to what is to be written.</summary>
    public void Add(char kind, byte[] content)
    {
        var frame = new byte[HeadBytes + content.Length];
        frame[0] = (byte)kind;
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(1), content.Length);
        content.CopyTo(frame, HeadBytes);
        _unwritten.Enqueue(frame);
    }

    /// <summary>Writes as far as there is room; whether anything was written.</summary>
    /// <exception cref="GuestAgentException">Those of a command, but for what the agent says of the pipe.</exception>
    public async Task<bool> WriteAsync(CallOptions call, CancellationToken cancellationToken)
    {
        var hasWritten = false;
        while (EndReason is null && _unwritten.Count > 0)
        {
            var frame = _unwritten.Peek();
            var piece = frame.AsMemory(_written, Math.Min(PieceBytes, frame.Length - _written));
            var count = await TryAsync(
                isRead: false, () => _session.WriteFileAsync(Handle, piece, call, cancellationToken)).ConfigureAwait(false);
            _written += (int)count;
            hasWritten |= count > 0;
            if (_written == frame.Length)
            {
                _unwritten.Dequeue();
                _written = 0;
            }
            else if (count < piece.Length)
            {
                break;
            }
        }

        return hasWritten;
    }

    /// <summary>Reads what has come; nothing where there is nothing yet.</summary>
    /// <exception cref="GuestAgentException">Those of a command, but for what the agent says of the pipe.</exception>
    public async Task<IReadOnlyList<PipeFrame>> ReadAsync(CallOptions call, CancellationToken cancellationToken)
    {
        if (EndReason is not null)
        {
            return [];
        }

        var count = (int)await TryAsync(
            isRead: true,
            async () => await _session.ReadFileAsync(Handle, _buffer, PieceBytes, call, cancellationToken).ConfigureAwait(false))
            .ConfigureAwait(false);
        return count == 0 ? [] : Split([.. _held, .. _buffer.AsSpan(0, count)]);
    }

    /// <summary>Closes it, as far as the agent answers. Its server notices.</summary>
    public Task CloseAsync()
    {
        EndReason ??= "it was closed.";
        _session.OpenFiles.RemoveKept(Handle);
        return AbandonedCall.CleanUpAsync(() => _session.CloseFileAsync(
            Handle, new CallOptions { Timeout = AbandonedCall.CleanupTime }, CancellationToken.None));
    }

    private List<PipeFrame> Split(byte[] bytes)
    {
        var frames = new List<PipeFrame>();
        var at = 0;
        while (bytes.Length - at >= HeadBytes)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at + 1));
            if (length is < 0 or > MaxFrame)
            {
                EndReason = "what it sends makes no sense.";
                return frames;
            }

            if (bytes.Length - at - HeadBytes < length)
            {
                break;
            }

            frames.Add(new PipeFrame((char)bytes[at], bytes.AsSpan(at + HeadBytes, length).ToArray()));
            at += HeadBytes + length;
        }

        _held = bytes.AsSpan(at).ToArray();
        return frames;
    }

    // What was asked of the pipe and not answered has perhaps been done: then nobody knows what is the next byte.
    private async Task<long> TryAsync(bool isRead, Func<Task<long>> command)
    {
        try
        {
            return await command().ConfigureAwait(false);
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.AgentError))
        {
            // What was written before a failure is still read: so the end shows there alone.
            EndReason = isRead && e.AgentErrorText != _emptyText ? e.AgentErrorText : EndReason;
            return 0;
        }
        catch (Exception e) when (!AbandonedCall.IsPostponed(e))
        {
            EndReason = "a command for it was not answered.";
            throw;
        }
    }
}
