using QemuGuestAgent.EmbeddedAgent.Commands;
using QemuGuestAgent.EmbeddedAgent.Guest;
using QemuGuestAgent.EmbeddedAgent.Wire;

namespace QemuGuestAgent.EmbeddedAgent;

/// <summary>
/// A QEMU guest agent in this process: it speaks the agent's half of the protocol as <c>qemu-ga</c> on virtio-serial does, for
/// an imaginary guest. It acts on nothing outside itself.
/// </summary>
public sealed class EmbeddedGuestAgent
{
    // A session may last for weeks.
    private const int MaxRequests = 10_000;

    private static readonly byte[] Sentinel = [0xFF];

    private readonly object _gate = new();
    private readonly Queue<string> _requests = [];
    private readonly EmbeddedGuestAgentOptions _options;
    private readonly GuestMachine _machine;
    private readonly AgentPort _port;
    private AgentContext _context;
    private Action? _end;
    private Task _run = Task.CompletedTask;
    private readonly Dictionary<string, int> _repliesTo = [];
    private bool _hasGreeted;
    private int _commandReplies;

    /// <summary>Makes an agent and starts it.</summary>
    /// <param name="options">The properties of the agent; null for a healthy modern agent.</param>
    public EmbeddedGuestAgent(EmbeddedGuestAgentOptions? options = null)
    {
        _options = options ?? new EmbeddedGuestAgentOptions();
        _port = new AgentPort(MaxPiece);
        _machine = new GuestMachine(_options);
        _context = new AgentContext(_machine);
        Start();
    }

    /// <summary>Whether the agent runs: neither killed nor shut down.</summary>
    public bool IsRunning
    {
        get
        {
            lock (_gate)
            {
                return _end is not null;
            }
        }
    }

    /// <summary>The names of the commands that were requested so far, in their order; of the last 10,000.</summary>
    public IReadOnlyList<string> Requests
    {
        get
        {
            lock (_gate)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>How many file handles are open.</summary>
    public int OpenHandleCount => _context.Handles.Count;

    /// <summary>Whether the guest's file systems are frozen; outlives the agent.</summary>
    public bool IsFrozen => _machine.IsFrozen;

    private int MaxPiece => _options.Faults.ChunkSize > 0 ? _options.Faults.ChunkSize : int.MaxValue;

    /// <summary>Connects a client, which is served once those before it have left; disposing the stream is leaving.</summary>
    public Stream Connect()
    {
        var (client, agent) = DuplexPipeStream.CreatePair(MaxPiece);
        _ = ServeAsync(agent, CancellationToken.None);
        return client;
    }

    /// <summary>Serves a client on any stream, once those before it have left, until it leaves; closes the stream then.</summary>
    /// <param name="stream">The agent's end of a connection.</param>
    /// <param name="cancellationToken">Ends the connection.</param>
    public Task ServeAsync(Stream stream, CancellationToken cancellationToken) => _port.ServeAsync(stream, cancellationToken);

    /// <summary>
    /// Kills the agent: what it has half read and half sent is lost, the connection stays open and silent. What clients send
    /// meanwhile waits for the next start. The guest goes on: what is frozen stays so.
    /// </summary>
    public void Kill()
    {
        lock (_gate)
        {
            _end?.Invoke();
            _end = null;
        }
    }

    /// <summary>
    /// Starts the agent if it does not run, and the guest if it was shut down: the agent knows nothing of its former life.
    /// </summary>
    public void Start()
    {
        lock (_gate)
        {
            if (_end is null)
            {
                var life = new CancellationTokenSource();
                var previous = _run;
                _end = () => _port.End(life);
                _run = Task.Run(() => RunAsync(previous, life.Token));
            }
        }
    }

    private async Task RunAsync(Task previous, CancellationToken dead)
    {
        await previous.ConfigureAwait(false);
        _context = new AgentContext(_machine);

        if (_options.GuestOS == EmbeddedGuestOS.Windows)
        {
            // It holds writes only for the process that asked for it.
            _machine.IsFrozen = false;
        }

        try
        {
            if (!_hasGreeted)
            {
                _hasGreeted = true;
                await _port.SendAsync(_options.Faults.OnConnectBytes, dead).ConfigureAwait(false);
            }

            while (true)
            {
                var bytes = await _port.ReceiveAsync(dead).ConfigureAwait(false);
                if (_options.Faults.EchoesInput)
                {
                    await _port.SendAsync(bytes, dead).ConfigureAwait(false);
                }

                _context.Splitter.Append(bytes);
                while (_context.Splitter.TryRead(out var message))
                {
                    await AnswerAsync(Request.Read(message, _options.EchoesRequestIds), dead).ConfigureAwait(false);
                }

                // It takes the guest longer than the agent to answer what has come already.
                await ChangePowerAsync(dead).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // Killed.
        }
    }

    private async Task AnswerAsync(Request request, CancellationToken dead)
    {
        if (request.Command is not { } name)
        {
            await DelayAsync(_options.ReplyDelay, dead).ConfigureAwait(false);
            await SendLineAsync(ReplyWriter.Failure(EmbeddedCommandException.GenericError, request.Error!, request.Id), dead)
                .ConfigureAwait(false);
            return;
        }

        lock (_gate)
        {
            if (_requests.Count == MaxRequests)
            {
                _requests.Dequeue();
            }

            _requests.Enqueue(name);
        }

        _options.CommandDelays.TryGetValue(name, out var longer);
        await DelayAsync(_options.ReplyDelay + longer, dead).ConfigureAwait(false);

        // The delay may be over, by a clock that is set, in the moment of its death.
        dead.ThrowIfCancellationRequested();
        var line = _context.Execute(request);
        var silent = _options.Faults.SilentCommands;
        if (line is not null && !silent.Contains(name) && !silent.Contains("*") && !IsLost(name))
        {
            await SendCommandReplyAsync(name, line, dead).ConfigureAwait(false);
        }
    }

    private bool IsLost(string name)
    {
        _repliesTo.TryGetValue(name, out var before);
        _repliesTo[name] = before + 1;
        return _options.Faults.LostReplies.TryGetValue(name, out var lost) && before < lost;
    }

    private async Task ChangePowerAsync(CancellationToken dead)
    {
        var change = _context.PowerChange;
        _context.PowerChange = PowerChange.None;
        switch (change)
        {
            case PowerChange.Sleep:
                await DelayAsync(_options.BootDelay, dead).ConfigureAwait(false);
                break;
            case PowerChange.Reboot:
                Boot();
                await DelayAsync(_options.BootDelay, dead).ConfigureAwait(false);
                _port.DropInput();
                break;
            case PowerChange.Halt:
                Kill();
                Boot();
                break;
            case PowerChange.Off:
                Kill();
                Boot();
                _port.HangUp();
                break;
            case PowerChange.Hibernate:
                Kill();
                _port.HangUp();
                break;
        }
    }

    private void Boot()
    {
        _machine.IsFrozen = false;
        _context = new AgentContext(_machine);
    }

    private async Task SendCommandReplyAsync(string name, byte[] line, CancellationToken dead)
    {
        var faults = _options.Faults;
        if (faults.RawReplies.TryGetValue(name, out var raw))
        {
            await _port.SendAsync(raw, dead).ConfigureAwait(false);
            return;
        }

        if (name == faults.EndlessLine)
        {
            await _port.SendEndlessLineAsync(dead).ConfigureAwait(false);
            return;
        }

        if (name is not ("guest-sync" or "guest-sync-delimited"))
        {
            var half = line.AsMemory(0, line.Length / 2);
            _commandReplies++;
            if (_commandReplies == faults.DiesMidReply)
            {
                await _port.SendAsync(half, dead).ConfigureAwait(false);
                _context = new AgentContext(_machine);
                return;
            }

            if (faults.SentinelInsideReply > 0 && _commandReplies % faults.SentinelInsideReply == 0)
            {
                await _port.SendAsync(half, dead).ConfigureAwait(false);
                await _port.SendAsync(Sentinel, dead).ConfigureAwait(false);
            }
        }

        await SendLineAsync(line, dead).ConfigureAwait(false);
    }

    private async Task SendLineAsync(byte[] line, CancellationToken dead)
    {
        await _port.SendAsync(_options.Faults.ReplyPrefix, dead).ConfigureAwait(false);
        await _port.SendAsync(line, dead).ConfigureAwait(false);
    }

    private Task DelayAsync(TimeSpan delay, CancellationToken dead) =>
        delay == TimeSpan.Zero ? Task.CompletedTask
#if NET
        : Task.Delay(delay, _options.TimeProvider, dead);
#else
        : _options.TimeProvider.Delay(delay, dead);
#endif
}
