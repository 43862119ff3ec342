#if NET
using System.Runtime.InteropServices;
#endif

namespace QemuGuestAgent.Core.Operations;

/// <summary>
/// What must be undone before this process ends: by itself, by SIGTERM, or because its terminal went away (SIGHUP, as when an ssh
/// connection breaks). Nothing helps against SIGKILL.
/// </summary>
internal static class ProcessEnd
{
    private static readonly object Lock = new();
    private static readonly List<Func<Task>> Undoings = [];
#if NET
    private static PosixSignalRegistration? _hangUp;
#endif

    static ProcessEnd() => AppDomain.CurrentDomain.ProcessExit += (_, _) => Undo();

    /// <summary>Has something undone before the process ends. It takes a bounded time and never fails.</summary>
    public static void Before(Func<Task> undo)
    {
        lock (Lock)
        {
            Undoings.Add(undo);
#if NET
            // The process ends after the handler, as it would without it.
            _hangUp ??= OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(PosixSignal.SIGHUP, _ => Undo());
#endif
        }
    }

    /// <summary>Takes back what was given to <see cref="Before"/>.</summary>
    public static void Forget(Func<Task> undo)
    {
        lock (Lock)
        {
            Undoings.Remove(undo);
#if NET
            if (Undoings.Count == 0)
            {
                _hangUp?.Dispose();
                _hangUp = null;
            }
#endif
        }
    }

    private static void Undo()
    {
        Func<Task>[] undoings;
        lock (Lock)
        {
            undoings = [.. Undoings];
        }

        Task.WhenAll(undoings.Select(undo => undo())).GetAwaiter().GetResult();
    }
}
