#if NET
using System.Management.Automation.Remoting;
using System.Text;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;

namespace QemuGuestAgent.Remoting;

/// <summary>Carries PowerShell remoting's lines to and from the PowerShell in a guest.</summary>
internal sealed class GuestTransport
{
    // A guest that never ends its line must not exhaust the host's memory; a line of remoting has about 45,000 characters.
    private const int MaxLine = 16 << 20;

    // The last line that PowerShell sends, and the reply that it then waits for (OutOfProcTransportManager.cs of PowerShell).
    private const string Closing = "<Close PSGuid='00000000-0000-0000-0000-000000000000' />";
    private const string Closed = "<CloseAck PSGuid='00000000-0000-0000-0000-000000000000' />";

    // The lines after whose acknowledgement PowerShell sends the next piece.
    private const string Data = "<Data ";
    private const string Command = "<Command ";

    // In front of a command's id, in each line.
    private const string Id = "PSGuid='";

    // What is shorter reaches the guest in less time than its end would take as a write of its own.
    private const int LongLine = 16 << 10;

    private static readonly TimeSpan MaxClose = TimeSpan.FromSeconds(20);

    private readonly AgentSession _session;
    private readonly InteractiveProcess _shell;
    private readonly LineReader _lines = new(GuestOutputKind.Output, new UTF8Encoding(false), MaxLine);
    private readonly Lazy<Task> _closing;
    private readonly object _stateLock = new();
    private readonly Queue<string> _waiting = new();
    private readonly List<(string Acknowledgement, long End)> _unacknowledged = [];
    private object? _manager;
    private Action<string>? _handle;
    private string? _processed;
    private string? _held;
    private long _sent;
    private bool _awaitsClosed;
    private bool _isClosed;

    /// <summary>Creates a transport to a PowerShell in a guest.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="shell">The PowerShell.</param>
    /// <param name="ownsSession">Whether the session is closed with it.</param>
    public GuestTransport(AgentSession session, InteractiveProcess shell, bool ownsSession)
    {
        _session = session;
        _shell = shell;
        session.Shells.TryAdd(shell, "a PowerShell session is open");
        _closing = new Lazy<Task>(async () =>
        {
            await shell.CloseAsync().ConfigureAwait(false);
            session.Shells.TryRemove(shell, out _);
            if (ownsSession)
            {
                SessionRegistry.Close(session);
            }
        });
    }

    /// <summary>Starts the transport. Called by PowerShell.</summary>
    /// <param name="manager">PowerShell's side of it.</param>
    public void Open(object manager)
    {
        _manager = manager;
        EngineTypes.Method<Action<TextWriter>>(manager, "SetMessageWriter")(new LineWriter(this));
        _handle = EngineTypes.Method<Action<string>>(manager, "HandleDataReceived");
        _ = CarryAsync(bytes =>
        {
            foreach (var line in _lines.Read(bytes))
            {
                if (line.Text == Closed)
                {
                    _ = End();
                }

                if (Receive(line.Text) is { } text)
                {
                    _handle(text);
                }
            }
        });
        EngineTypes.Method<Action>(manager, "SendOneItem")();
    }

    /// <summary>Ends it, and does not wait. Called by PowerShell once the other side has agreed.</summary>
    public void Close()
    {
        _ = End();
        _ = _closing.Value;
    }

    /// <summary>Ends it, and waits until nothing is left in the guest. Called by PowerShell.</summary>
    /// <param name="isDisposing">Whether called by <see cref="IDisposable.Dispose"/>.</param>
    public void Dispose(bool isDisposing)
    {
        Close();
        if (isDisposing)
        {
            _closing.Value.Wait(MaxClose);
        }
    }

    /// <summary>Ends it and reports the reason to PowerShell, if it has not ended yet.</summary>
    public void Fail(GuestAgentException reason)
    {
        var (isFirst, awaitsClosed) = End();
        if (isFirst && _manager is { } manager)
        {
            if (awaitsClosed)
            {
                // It would wait a minute for the guest's reply, and ignore an error.
                _handle!(Closed);
            }
            else
            {
                EngineTypes.RaiseError(manager, new PSRemotingTransportException(reason.Message, reason));
            }
        }

        _ = _closing.Value;
    }

    private async Task CarryAsync(Action<byte[]> receive)
    {
        try
        {
            await _shell.RunAsync(receive).ConfigureAwait(false);
        }
        catch (GuestAgentException e)
        {
            Fail(e);
            return;
        }
        catch (OperationCanceledException)
        {
            // Closed while the agent did not answer.
        }

        // By PowerShell, or with the session below it.
        Fail(ErrorCatalogue.SessionClosed.WithTarget(_session, _session.Endpoint));
    }

    // Whether nothing ended it before, and whether PowerShell waits for the guest to confirm the end.
    private (bool IsFirst, bool AwaitsClosed) End()
    {
        lock (_stateLock)
        {
            var isFirst = !_isClosed;
            _isClosed = true;
            return (isFirst, _awaitsClosed);
        }
    }

    // The guest's PowerShell handles each line on a thread of its own: what belongs to one must have been handled before the next ends.
    // So that it need not wait for a long one, that is sent meanwhile, but not its end; and PowerShell is told early to give one more.
    private void Send(string line)
    {
        lock (_stateLock)
        {
            if (_isClosed)
            {
                // PowerShell treats it as the end of a connection.
                throw new IOException();
            }

            _awaitsClosed = line == Closing;
            _waiting.Enqueue(line);
            SendWaiting();
        }
    }

    // What PowerShell is to be told where the guest tells this; null for nothing.
    private string? Receive(string line)
    {
        lock (_stateLock)
        {
            if (_unacknowledged.FindIndex(sent => sent.Acknowledgement == line) is var index and >= 0)
            {
                _shell.ConfirmRead(_unacknowledged[index].End);
                _unacknowledged.RemoveAt(index);
            }

            if (line != _processed)
            {
                return line;
            }

            // PowerShell has had its word on the line, and now waits for that on the next; what follows, it is told of when that is sent.
            var next = _held;
            (_processed, _held) = (next, null);
            if (next is not null)
            {
                Write("\n", next);
            }

            SendWaiting();
            return next;
        }
    }

    private void SendWaiting()
    {
        while (_held is null && _waiting.TryPeek(out var line))
        {
            var acknowledgement = Acknowledgement(line);
            var isPiece = line.StartsWith(Data, StringComparison.Ordinal) || line.StartsWith(Command, StringComparison.Ordinal);
            var isNext = isPiece && _processed is not null;
            if (isNext && line.Length < LongLine)
            {
                return;
            }

            _waiting.Dequeue();
            if (isNext)
            {
                Write(line, null);
                _held = acknowledgement;
            }
            else
            {
                Write(line + "\n", acknowledgement);
                if (isPiece)
                {
                    // It only puts that in a queue.
                    _processed = acknowledgement;
                    _handle!(acknowledgement);
                }
            }
        }
    }

    private void Write(string text, string? acknowledgement)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        _sent += bytes.Length;
        _shell.Send(bytes);
        if (acknowledgement is not null)
        {
            _unacknowledged.Add((acknowledgement, _sent));
        }
    }

    // As <Data Stream='Default' PSGuid='…'>…</Data> by <DataAck PSGuid='…' />.
    private static string Acknowledgement(string line)
    {
        var id = line.IndexOf(Id, StringComparison.Ordinal) + Id.Length;
        return $"{line[..line.IndexOf(' ')]}Ack {Id}{line[id..line.IndexOf('\'', id)]}' />";
    }

    private sealed class LineWriter(GuestTransport transport) : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => throw new NotSupportedException();

        public override void WriteLine(string? value) => transport.Send(value ?? "");
    }
}
#endif
