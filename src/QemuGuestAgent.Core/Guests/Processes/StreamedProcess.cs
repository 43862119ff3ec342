using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Processes;

/// <summary>A program in a guest whose output is read while it runs: without limit, and in memory only by pieces.</summary>
public static class StreamedProcess
{
    // As many as QEMU's agent (qga/commands.c): 16 MiB of each stream.
    private const int MaxKept = 16 << 20;

    /// <summary>Runs a program to its end. If that is cancelled or times out, it is killed. No file is left.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="start">The program.</param>
    /// <param name="write">Receives lines as they arrive; no more are read until it has returned.</param>
    /// <param name="keepsOnTimeOut">Whether it continues after a time-out. Its further output is then discarded.</param>
    /// <param name="call">Time limit (zero for none) and trace; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>How it ended, without the output.</returns>
    /// <exception cref="GuestAgentException">As those of running a program, and OutputFileNotMade.</exception>
    public static Task<GuestProcessResult> RunAsync(
        GuestAgentSession session, GuestProcessStart start, Func<IReadOnlyList<GuestProcessLine>, Task> write,
        bool keepsOnTimeOut = false, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        RunAsync(session, start, write, HostWatch.Usual, keepsOnTimeOut, call, cancellationToken);

    internal static async Task<GuestProcessResult> RunAsync(
        GuestAgentSession session, GuestProcessStart start, Func<IReadOnlyList<GuestProcessLine>, Task> write, HostWatch watch,
        bool keepsOnTimeOut, CallOptions? call, CancellationToken cancellationToken)
    {
        var time = new OperationTime(session.Clock, call);
        var platform = await GuestPlatform.FindAsync(session, time, cancellationToken).ConfigureAwait(false);
        start = await platform.CompleteAsync(session, start, time, cancellationToken).ConfigureAwait(false);
        var output = new LineReader(GuestOutputKind.Output, start.KnownEncoding, start.MaxLine);
        var errors = new LineReader(GuestOutputKind.Error, start.KnownEncoding, start.MaxLine);
        Task WriteAsync(IReadOnlyList<GuestProcessLine> lines) => lines.Count > 0 ? write(lines) : Task.CompletedTask;
        var result = await platform.FollowAsync(
            session, start, watch, (stream, bytes) => WriteAsync((stream == GuestOutputKind.Output ? output : errors).Read(bytes)),
            keepsOnTimeOut, time, cancellationToken).ConfigureAwait(false);
        await WriteAsync([.. output.Finish(), .. errors.Finish()]).ConfigureAwait(false);
        return result;
    }

    /// <summary>
    /// Runs a program to its end, with all that it wrote as the agent would keep it: for a channel that does not carry that in one reply.
    /// </summary>
    internal static async Task<GuestProcessResult> GatherAsync(
        GuestPlatform platform, GuestAgentSession session, GuestProcessStart start, bool keepsOnTimeOut, OperationTime time,
        CancellationToken cancellationToken)
    {
        var kept = new Dictionary<GuestOutputKind, MemoryStream> { [GuestOutputKind.Output] = new(), [GuestOutputKind.Error] = new() };
        var isTruncated = false;
        try
        {
            var result = await platform.FollowAsync(
                session, start, HostWatch.Usual, (stream, bytes) =>
                {
                    var count = (int)Math.Min(bytes.Length, MaxKept - kept[stream].Length);
                    kept[stream].Write(bytes, 0, count);
                    isTruncated |= count < bytes.Length;
                    return Task.CompletedTask;
                },
                keepsOnTimeOut, time, cancellationToken).ConfigureAwait(false);
            return result.With(kept[GuestOutputKind.Output].ToArray(), kept[GuestOutputKind.Error].ToArray(), isTruncated);
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.ProcessTimedOut))
        {
            throw e.WithOutput(TextOf(GuestOutputKind.Output), TextOf(GuestOutputKind.Error));
        }

        string TextOf(GuestOutputKind stream) => GuestText.Decode(kept[stream].ToArray(), start.KnownEncoding);
    }
}
