using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Session;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Soak;

/// <summary>What ends a call that is not answered.</summary>
internal enum GivingUp
{
    /// <summary>Nothing: it fails by itself.</summary>
    None,

    /// <summary>The call's time is over.</summary>
    Time,

    /// <summary>The call's time is over, before anything could be sent.</summary>
    TimeUnsent,

    /// <summary>Its caller cancels it.</summary>
    Cancel,
}

/// <summary>One bent agent, a session with it, and what must come of each request.</summary>
internal sealed class Round(Random random) : IDisposable
{
    /// <summary>How a call fails that was cancelled.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>The time of a call.</summary>
    public static readonly TimeSpan CallTime = new CallOptions().Timeout;

    // Real time: decides nothing, only ends what would never end.
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    private const int ShownSteps = 25;

    private readonly Queue<string> _steps = new();
    private readonly Dictionary<long, (int Least, int Most)> _expected = [];
    private readonly string _hostName = $"guest-{random.Next()}";
    private EmbeddedEndpoint? _endpoint;
    private EmbeddedGuestAgent? _agent;
    private GuestAgentSession? _session;

    public Random Random => random;

    /// <summary>What the requests are.</summary>
    public Deed Deed { get; set; } = random.Next(4) switch { 0 => new Writing(), 1 => new Starting(), _ => new Work() };

    /// <summary>The clock of agent and session. Whoever waits for it to be awaited waits for the agent.</summary>
    public WatchedTime Time { get; } = new();

    /// <summary>How much of the time has passed.</summary>
    public TimeSpan Passed { get; private set; }

    public int Requests => _expected.Count;

    public EmbeddedGuestAgent Agent => _agent!;

    public GuestAgentSession Session => _session!;

    /// <summary>The last things that happened.</summary>
    public IReadOnlyList<string> Steps
    {
        get
        {
            lock (_steps)
            {
                return [.. _steps];
            }
        }
    }

    /// <summary>Makes the agent.</summary>
    public void Make(EmbeddedAgentFaults faults, EmbeddedGuestAgentOptions? options = null)
    {
        _agent = new EmbeddedGuestAgent((options ?? new()) with
        {
            HostName = _hostName,
            TimeProvider = Time,
            Faults = faults,
            Commands = Deed is Work work ? new Dictionary<string, Func<JsonElement, JsonNode?>> { [Work.Name] = work.Execute } : [],
        });
        _endpoint = EmbeddedEndpoint.Register("soak-faults", _agent);
    }

    /// <summary>Connects, which must succeed, and makes ready for the deed.</summary>
    public async Task ConnectAsync()
    {
        _session?.Dispose();
        _session = await OrLost(OpenAsync(), "connecting");
        await OrLost(Deed.PrepareAsync(Session), "making ready");
    }

    /// <summary>Connects, which must fail so.</summary>
    /// <param name="errorId">How.</param>
    /// <param name="whileWaiting">What happens before its time is over; null where it fails by itself.</param>
    public async Task ConnectFailsAsync(string errorId, Func<Task>? whileWaiting = null)
    {
        var connecting = OpenAsync();
        if (whileWaiting is not null)
        {
            await whileWaiting();
            Pass(CallTime);
        }

        await FailsAsync(connecting, errorId, "connecting");
    }

    /// <summary>A request that must be answered, rightly.</summary>
    /// <param name="whileWaiting">What happens once it was sent.</param>
    public async Task AnswersAsync(Func<Task>? whileWaiting = null)
    {
        var number = Next();
        _expected[number] = (1, 1);
        var (call, sent, _) = Ask(Deed.Request(number), CancellationToken.None);
        if (whileWaiting is not null)
        {
            await OrLost(sent, "sending");
            await whileWaiting();
        }

        var reply = await OrLost(call, $"request {number}");
        if (!Deed.IsRight(number, reply))
        {
            throw new SoakException($"request {number} was answered by {reply}");
        }
    }

    /// <summary>A request that must fail.</summary>
    /// <param name="errorId">How; of one that is cancelled, nothing else may come.</param>
    /// <param name="runs">How often the guest will have carried it out in the end.</param>
    /// <param name="by">What ends the call once it was sent.</param>
    /// <param name="whileWaiting">What happens once it was sent, before that.</param>
    /// <param name="mostRuns">How often at most, where that is not known.</param>
    public async Task<(GuestAgentRequest Request, long Number)> FailsAsync(
        string errorId, int runs, GivingUp by = GivingUp.None, Func<Task>? whileWaiting = null, int? mostRuns = null)
    {
        using var cancel = new CancellationTokenSource();
        var number = Next();
        _expected[number] = (runs, mostRuns ?? runs);
        var request = Deed.Request(number);
        var (call, sent, wasSent) = Ask(request, cancel.Token);
        if (whileWaiting is not null || by is GivingUp.Time or GivingUp.Cancel)
        {
            await OrLost(sent, "sending");
            await (whileWaiting?.Invoke() ?? Task.CompletedTask);
        }

        if (by is GivingUp.Time or GivingUp.TimeUnsent)
        {
            Pass(CallTime);
        }
        else if (by == GivingUp.Cancel)
        {
            await cancel.CancelAsync();
        }

        await FailsAsync(call, errorId, $"request {number}");
        if (!wasSent() && runs > 0)
        {
            throw new SoakException($"request {number} failed as {errorId} and was never sent", isLost: true);
        }

        return (request, number);
    }

    /// <summary>The reply that came late must be the request's own.</summary>
    public void CameLate((GuestAgentRequest Request, long Number) asked)
    {
        if (asked.Request.LateReply is not { Error: null } late)
        {
            throw new SoakException($"the late reply to request {asked.Number} did not reach it", isLost: true);
        }

        if (!Deed.IsRight(asked.Number, late.Result))
        {
            throw new SoakException($"request {asked.Number} was answered late by {late.Result}");
        }
    }

    /// <summary>After a synchronisation all is well: another command is answered.</summary>
    public async Task RecoversAsync()
    {
        await OrLost(Session.SynchronizeAsync(Options()), "synchronising");
        if (Session.State != GuestAgentSessionState.Ready)
        {
            throw new SoakException($"the session is {Session.State} after a synchronisation");
        }

        var reply = await OrLost(Session.InvokeAsync(new GuestAgentRequest("guest-get-host-name"), Options()), "the host's name");
        if (reply.GetProperty("host-name").GetString() != _hostName)
        {
            throw new SoakException($"the guest is called {_hostName}, and answered by {reply}");
        }
    }

    /// <summary>Waits until something of the agent's is so.</summary>
    public static async Task UntilAsync(Func<bool> condition)
    {
        for (var since = Stopwatch.StartNew(); !condition() && since.Elapsed < Hang;)
        {
            await Task.Yield();
        }
    }

    /// <summary>Time passes.</summary>
    public void Pass(TimeSpan time)
    {
        Step($"{time.TotalSeconds} seconds pass.");
        Passed += time;
        Time.Advance(time);
    }

    /// <summary>What the guest did must be what it was asked for, no more and no less.</summary>
    public async Task EndAsync()
    {
        var done = await OrLost(Deed.DoneAsync(Session), "looking at what was done");
        if (done.Find(number => !_expected.ContainsKey(number)) is var unknown and not 0)
        {
            throw new SoakException($"{unknown} was carried out, which nobody asked for");
        }

        foreach (var (number, (least, most)) in _expected)
        {
            var count = done.Count(n => n == number);
            if (count < least || count > most)
            {
                throw new SoakException(
                    $"request {number} was carried out {count} times, and {least} to {most} are right", isLost: count < least);
            }
        }
    }

    public void Dispose()
    {
        _session?.Dispose();
        _agent?.Kill();
    }

    private long Next() => (Requests + 1) * 1_000_000 + random.Next(1_000_000);

    private Task<GuestAgentSession> OpenAsync() => GuestAgentSession.ConnectAsync(
        _endpoint!, new() { TimeProvider = Time.Unwatched, MaxReplyBytes = 64 << 10, MaxSyncBytes = 1 << 20 }, Options());

    private (Task<JsonElement> Call, Task Sent, Func<bool> WasSent) Ask(GuestAgentRequest request, CancellationToken cancellationToken)
    {
        var sent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var call = Session.InvokeAsync(request, Options(text =>
        {
            if (text.Contains($"\"{request.Command}\"", StringComparison.Ordinal))
            {
                sent.TrySetResult();
            }
        }), cancellationToken);
        return (call, Task.WhenAny(sent.Task, call), () => sent.Task.IsCompleted);
    }

    private CallOptions Options(Action<string>? onSent = null) => new()
    {
        Trace = e =>
        {
            Step(e.Kind switch { TraceKind.Sent => "> ", TraceKind.Received => "< ", _ => "" } + e.Text);
            if (e.Kind == TraceKind.Sent)
            {
                onSent?.Invoke(e.Text);
            }
        },
    };

    private void Step(string text)
    {
        lock (_steps)
        {
            if (_steps.Count == ShownSteps)
            {
                _steps.Dequeue();
            }

            _steps.Enqueue(text.Length > 300 ? text[..300] + "…" : text);
        }
    }

    private static async Task FailsAsync(Task call, string errorId, string what)
    {
        try
        {
            await call.WaitAsync(Hang);
        }
        catch (TimeoutException)
        {
            throw new SoakException($"{what} does not end", isLost: true);
        }
        catch (GuestAgentException e) when (e.ErrorId == errorId)
        {
            return;
        }
        catch (OperationCanceledException) when (errorId == Cancelled)
        {
            return;
        }
        catch (Exception e)
        {
            throw new SoakException($"{what} should fail as {errorId}, and failed so: {e}");
        }

        throw new SoakException($"{what} should fail as {errorId}, and was answered");
    }

    private static async Task<T> OrLost<T>(Task<T> task, string what)
    {
        await OrLost((Task)task, what);
        return await task;
    }

    private static async Task OrLost(Task task, string what)
    {
        try
        {
            await task.WaitAsync(Hang);
        }
        catch (Exception e)
        {
            throw new SoakException($"{what}: {e}", isLost: true);
        }
    }
}
