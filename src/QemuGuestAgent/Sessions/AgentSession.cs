using System.Collections.Concurrent;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent;

/// <summary>A session with the guest agent of one guest, as Connect-QemuGuestAgent opens it. Usable from any runspace.</summary>
public sealed class AgentSession
{
    private static int _lastId;

    internal AgentSession(string name, GuestAgentSession core)
    {
        Name = name;
        Core = core;
    }

    /// <summary>The session's number, unique in the process; sessions that are opened together have theirs in the order given.</summary>
    public int Id { get; private set; }

    /// <summary>The name of the guest, as given or made of the endpoint.</summary>
    public string Name { get; }

    /// <summary>Where the agent is, in the grammar of -Endpoint.</summary>
    public string Endpoint => Core.Endpoint.ToString();

    /// <summary>Where the session stands: Ready, Busy, OutOfSync, Faulted, Connecting or Closed.</summary>
    public GuestAgentSessionState State => Core.State;

    /// <summary>The agent's version as it says, or null where its policy refuses to tell.</summary>
    public string? AgentVersion => Core.Agent?.Version;

    /// <summary>Whether the guest's file systems are frozen, as far as this session has seen.</summary>
    public bool IsFrozen => Core.IsFrozen;

    /// <summary>Whether the agent echoes request ids (QEMU 4.0 and later).</summary>
    public bool EchoesRequestIds => Core.EchoesRequestIds;

    internal GuestAgentSession Core { get; }

    internal ProcessList Processes { get; } = new();

    // What is under way over the session, as the start of a sentence, or null.
    internal string? UnderWay =>
        !Shells.IsEmpty ? "a PowerShell session is open"
            : Processes.All.Where(process => !process.HasExited).Select(process => $"process {process}").ToList() is { Count: > 0 } running
            ? $"{string.Join(", ", running)} has not been observed to end"
            : Core.OpenFiles.Count > 0 ? "a file in the guest is open for a copy"
            : State == GuestAgentSessionState.Busy ? "a command is running" : null;

    // What is spoken with over it, which ends with it.
    internal ConcurrentDictionary<InteractiveProcess, bool> Shells { get; } = new();

    // To be called once, when the user gets it.
    internal void TakeId() => Id = Interlocked.Increment(ref _lastId);

    /// <summary>The session's name.</summary>
    public override string ToString() => Name;
}
