using QemuGuestAgent.Core.Guests.Processes;

namespace QemuGuestAgent.Core.Operations.Terminals;

/// <summary>The terminal on this side, which the user sits at.</summary>
public abstract class LocalTerminal : IDisposable
{
    /// <summary>May be raised when the size has changed; it is looked at now and then anyway.</summary>
    public event Action? Resized;

    /// <summary>Its size now.</summary>
    public abstract TerminalSize Size { get; }

    /// <summary>What kind of terminal it is, for TERM.</summary>
    public abstract string Name { get; }

    /// <summary>The console of this process; where it has none, <paramref name="missing"/> says why.</summary>
    public static LocalTerminal? OfConsole(out string missing)
    {
        missing = Console.IsInputRedirected ? "the input of this PowerShell is redirected"
            : Console.IsOutputRedirected ? "the output of this PowerShell is redirected"
            : "";
        if (missing.Length > 0)
        {
            return null;
        }

#if NET
        return OperatingSystem.IsWindows() ? new WindowsTerminal() : new PosixLocalTerminal();
#else
        // Windows PowerShell.
        return new WindowsTerminal();
#endif
    }

    /// <summary>Gives each key as it is pressed, Ctrl+C too, until it is disposed of or this process ends.</summary>
    public abstract void EnterRaw();

    /// <summary>Reads what was typed, on this thread; 0 where the terminal is gone.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled before anything came.</exception>
    public abstract int Read(byte[] buffer, CancellationToken cancellationToken);

    /// <summary>Shows bytes.</summary>
    public abstract void Write(byte[] bytes);

    /// <summary>Puts it back as it was.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Puts it back as it was.</summary>
    /// <param name="disposing">Whether called by <see cref="Dispose()"/>.</param>
    protected abstract void Dispose(bool disposing);

    /// <summary>Raises <see cref="Resized"/>.</summary>
    protected void OnResized() => Resized?.Invoke();
}
