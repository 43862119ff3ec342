using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations;

/// <summary>The time for an operation of several commands: each gets what those before it have left.</summary>
internal sealed class CallBudget(GuestAgentSession session, CallOptions? call)
{
    // What has run out must not become the zero that means no limit.
    private static readonly TimeSpan Least = TimeSpan.FromTicks(1);

    private readonly CallOptions _call = call ?? new CallOptions();
    private readonly long _start = session.Clock.GetTimestamp();

    /// <summary>The options for the next command.</summary>
    public CallOptions Next()
    {
        if (_call.Timeout == TimeSpan.Zero)
        {
            return _call;
        }

        var left = _call.Timeout - session.Clock.GetElapsedTime(_start);
        return _call with { Timeout = left > Least ? left : Least };
    }
}
