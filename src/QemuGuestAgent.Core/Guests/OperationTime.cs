using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests;

/// <summary>The time of an operation of several commands.</summary>
internal sealed class OperationTime(TimeProvider clock, CallOptions? call)
{
    private static readonly TimeSpan MaxCommand = TimeSpan.FromSeconds(60);

    // One that is cut short costs a synchronisation.
    private static readonly TimeSpan ShortestCommand = TimeSpan.FromSeconds(1);

    // What has run out must not become the zero that means no limit.
    private static readonly TimeSpan MinTimeout = TimeSpan.FromTicks(1);

    private readonly CallOptions _call = call ?? new CallOptions();
    private long _started = clock.GetTimestamp();

    /// <summary>The time since the start.</summary>
    public TimeSpan Elapsed => clock.GetElapsedTime(_started);

    /// <summary>The time that the operation was given; zero is no limit.</summary>
    public TimeSpan Limit => _call.Timeout;

    /// <summary>The time that the user gave, also where this operation is a part of another; zero is no limit.</summary>
    public TimeSpan Given => _call.OperationTimeout ?? _call.Timeout;

    /// <summary>Whether the operation has no time left.</summary>
    public bool IsOver => Limit > TimeSpan.Zero && Elapsed >= Limit;

    /// <summary>The same time for commands that only ask again: they are no steps of a trace.</summary>
    public OperationTime WithoutSteps() => _call.Trace is not { } trace ? this
        : new(clock, _call with
        {
            Trace = happened =>
            {
                if (happened.Kind != TraceKind.Step)
                {
                    trace(happened);
                }
            },
        })
        {
            _started = _started,
        };

    /// <summary>What the next command may take where a command may last as long as the operation: all that is left.</summary>
    public CallOptions Rest() =>
        Limit == TimeSpan.Zero ? _call : Part(Limit > Elapsed + MinTimeout ? Limit - Elapsed : MinTimeout);

    /// <summary>What the next command may take, a minute at the most: the operation may last longer than any of its commands.</summary>
    /// <param name="isLast">Whether the operation's time is over when the command's is.</param>
    public CallOptions Command(out bool isLast)
    {
        var left = Limit > TimeSpan.Zero ? Limit - Elapsed : TimeSpan.MaxValue;
        isLast = left <= MaxCommand;
        return isLast ? Part(left > ShortestCommand ? left : ShortestCommand) : _call with { Timeout = MaxCommand };
    }

    /// <summary>What an attempt may take that is made again where it fails: so long, or all that is left.</summary>
    public CallOptions Attempt(TimeSpan longest)
    {
        var rest = Rest();
        return rest.Timeout > longest || rest.Timeout == TimeSpan.Zero ? rest with { Timeout = longest, OperationTimeout = null } : rest;
    }

    /// <inheritdoc cref="Command(out bool)"/>
    public CallOptions Command() => Command(out _);

    /// <summary>Waits, but not past the operation's time.</summary>
    public Task DelayAsync(TimeSpan delay, CancellationToken cancellationToken)
    {
        if (Limit > TimeSpan.Zero && Limit - Elapsed < delay)
        {
            delay = Limit > Elapsed ? Limit - Elapsed : TimeSpan.Zero;
        }

#if NET
        return Task.Delay(delay, clock, cancellationToken);
#else
        return clock.Delay(delay, cancellationToken);
#endif
    }

    private CallOptions Part(TimeSpan left) => _call with { Timeout = left, OperationTimeout = Given };
}
