#if NET
using System.Management.Automation.Remoting;
using System.Text;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations;

namespace QemuGuestAgent.Remoting;

/// <summary>Carries PowerShell remoting's lines to and from the PowerShell in a guest.</summary>
internal sealed class GuestTransport
{
    // A guest that never ends its line must not take the host's memory; a line of remoting has some 45,000 characters.
    private const int LongestLine = 16 << 20;

    private static readonly TimeSpan LongestClose = TimeSpan.FromSeconds(20);

    private readonly AgentSession _session;
    private readonly InteractiveProcess _shell;
    private readonly LineReader _lines = new(GuestOutputKind.Output, new UTF8Encoding(false), LongestLine);
    private readonly Lazy<Task> _closing;
    private object? _manager;
    private int _isClosed;

    /// <summary>Takes a PowerShell in a guest to carry to and from.</summary>
    /// <param name="session">The session with the guest's agent.</param>
    /// <param name="shell">The PowerShell.</param>
    /// <param name="ownsSession">Whether the session is closed with it.</param>
    public GuestTransport(AgentSession session, InteractiveProcess shell, bool ownsSession)
    {
        _session = session;
        _shell = shell;
        session.Shells.TryAdd(shell, true);
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

    /// <summary>Begins to carry. Called by PowerShell.</summary>
    /// <param name="manager">PowerShell's side of it.</param>
    public void Open(object manager)
    {
        _manager = manager;
        EngineTypes.Method<Action<TextWriter>>(manager, "SetMessageWriter")(new LineWriter(this));
        var handle = EngineTypes.Method<Action<string>>(manager, "HandleDataReceived");
        _ = CarryAsync(bytes =>
        {
            foreach (var line in _lines.Read(bytes))
            {
                handle(line.Text);
            }
        });
        EngineTypes.Method<Action>(manager, "SendOneItem")();
    }

    /// <summary>Ends it, and does not wait. Called by PowerShell once the other side has agreed.</summary>
    public void Close()
    {
        Interlocked.Exchange(ref _isClosed, 1);
        _ = _closing.Value;
    }

    /// <summary>Ends it, and waits until nothing is left in the guest. Called by PowerShell.</summary>
    /// <param name="isDisposing">Whether by somebody's call.</param>
    public void Dispose(bool isDisposing)
    {
        Close();
        if (isDisposing)
        {
            _closing.Value.Wait(LongestClose);
        }
    }

    /// <summary>Ends it and tells PowerShell why, where it has not ended yet.</summary>
    public void Fail(GuestAgentException reason)
    {
        if (Interlocked.Exchange(ref _isClosed, 1) == 0 && _manager is { } manager)
        {
            EngineTypes.RaiseError(manager, new PSRemotingTransportException(reason.Message, reason));
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
        Fail(ErrorCatalogue.SessionClosed.With(_session, _session.Endpoint));
    }

    // PowerShell takes this exception for the end of a connection.
    private void Send(string line)
    {
        if (Volatile.Read(ref _isClosed) != 0)
        {
            throw new IOException();
        }

        _shell.Send(Encoding.UTF8.GetBytes(line + "\n"));
    }

    private sealed class LineWriter(GuestTransport transport) : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => throw new NotSupportedException();

        public override void WriteLine(string? value) => transport.Send(value ?? "");
    }
}
#endif
