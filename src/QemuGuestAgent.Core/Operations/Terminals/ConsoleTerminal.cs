using QemuGuestAgent.Core.Guests.Processes;

namespace QemuGuestAgent.Core.Operations.Terminals;

/// <summary>The console of this process, whatever system it is on.</summary>
internal abstract class ConsoleTerminal : LocalTerminal
{
    private readonly object _gate = new();
    private readonly Func<Task> _putBack;
    private Stream? _output;
    private bool _isRaw;

    protected ConsoleTerminal() => _putBack = PutBackAsync;

    /// <inheritdoc/>
    // A terminal that does not know its size says zero.
    public override TerminalSize Size => Console.WindowHeight > 0 && Console.WindowWidth > 0
        ? new TerminalSize(Console.WindowHeight, Console.WindowWidth) : new TerminalSize(24, 80);

    /// <inheritdoc/>
    public override void EnterRaw()
    {
        lock (_gate)
        {
            ChangeMode();
            _isRaw = true;
        }

        ProcessEnd.Before(_putBack);
    }

    /// <inheritdoc/>
    // By the console's own stream: it knows then that the cursor has moved.
    public override void Write(byte[] bytes)
    {
        _output ??= Console.OpenStandardOutput();
        _output.Write(bytes, 0, bytes.Length);
        _output.Flush();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        ProcessEnd.Forget(_putBack);
        _ = PutBackAsync();
        _output?.Dispose();
    }

    /// <summary>Keeps the mode of the console, and changes it.</summary>
    protected abstract void ChangeMode();

    /// <summary>Gives the console the mode that was kept.</summary>
    protected abstract void RestoreMode();

    private Task PutBackAsync()
    {
        lock (_gate)
        {
            if (_isRaw)
            {
                RestoreMode();
                _isRaw = false;
            }
        }

        return Task.CompletedTask;
    }
}
