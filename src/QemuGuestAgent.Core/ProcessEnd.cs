#if NET
using System.Runtime.InteropServices;
#endif

namespace QemuGuestAgent.Core;

/// <summary>
/// Cleanup actions to run before this process ends: normally, by SIGTERM, or because its terminal was closed (SIGHUP, as when an ssh
/// connection breaks; on Windows, a window). Nothing helps against SIGKILL.
/// </summary>
internal static class ProcessEnd
{
    private static readonly object Lock = new();
    private static readonly CleanupActions CleanupActions = new();
    private static readonly CleanupActions Closings = new();
#if NET
    private static PosixSignalRegistration[] _signals = [];
#endif

    static ProcessEnd() => AppDomain.CurrentDomain.ProcessExit += (_, _) => UndoAll();

    /// <summary>Registers a cleanup action to run before the process ends. It must take a bounded time and never fail.</summary>
    public static void Before(Func<Task> undo) => Add(CleanupActions, undo);

    /// <summary>Registers an action to run after all cleanup actions, which may need its object. It must take a bounded time and never fail.</summary>
    public static void AtLast(Func<Task> close) => Add(Closings, close);

    /// <summary>Removes an action given to <see cref="Before"/> or <see cref="AtLast"/>.</summary>
    public static void Forget(Func<Task> undo)
    {
        lock (Lock)
        {
            var isLast = CleanupActions.Remove(undo) & Closings.Remove(undo);
#if NET
            if (isLast)
            {
                Array.ForEach(_signals, signal => signal.Dispose());
                _signals = [];
            }
#endif
        }
    }

    private static void Add(CleanupActions actions, Func<Task> undo)
    {
        lock (Lock)
        {
            actions.TryAdd(undo);
#if NET
            if (_signals.Length == 0)
            {
                // The process ends after the handler, as it would without it: since .NET 10 without ProcessExit.
                _signals = Array.ConvertAll(
                    [PosixSignal.SIGTERM, PosixSignal.SIGHUP], signal => PosixSignalRegistration.Create(signal, _ => UndoAll()));
            }
#endif
        }
    }

    private static void UndoAll()
    {
        CleanupActions.UndoAllAsync().GetAwaiter().GetResult();
        Closings.UndoAllAsync().GetAwaiter().GetResult();
    }
}
