using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Session;

/// <summary>The kind of a <see cref="TraceEvent"/>.</summary>
public enum TraceKind
{
    /// <summary>A step of the session, in words.</summary>
    Step,

    /// <summary>A message sent to the agent.</summary>
    Sent,

    /// <summary>A message that came from the agent.</summary>
    Received,
}

/// <summary>One thing that happened in a session. Secrets and the content of files are masked; nothing in it can act on a terminal.</summary>
/// <param name="Kind">The kind of event.</param>
/// <param name="Text">The step or the message.</param>
public readonly record struct TraceEvent(TraceKind Kind, string Text)
{
    // A step may name what the guest has said: its agent's version, say.
    internal static TraceEvent Step(string text) => new(TraceKind.Step, SafeText.Escape(text));
}
