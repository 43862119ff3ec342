using System.Collections.Concurrent;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent;

/// <summary>A session with the guest agent of one guest, as Connect-QemuGuestAgent opens it. Usable from any runspace.</summary>
public class AgentSession
{
    private static int _lastId;

    private readonly GuestAgentSession? _core;

    internal AgentSession(string name, GuestAgentSession core)
        : this(name)
    {
        _core = core;
        ChannelName = core.Endpoint.LockName;
    }

    private protected AgentSession(string name) => Name = name;

    /// <summary>The session's number, unique in the process; sessions that are opened together are numbered in the order given.</summary>
    public int Id { get; private set; }

    /// <summary>The name of the guest, as given or derived from the endpoint.</summary>
    public string Name { get; }

    /// <summary>The endpoint of the agent, in the syntax of -Endpoint.</summary>
    public string Endpoint => Core.Endpoint.ToString();

    /// <summary>The host that ssh or libvirt reaches the guest through; null where that is this computer.</summary>
    public string? HostName => Core.Endpoint.HostName;

    /// <summary>The state of the session: Ready, Busy, OutOfSync, Faulted, Connecting or Closed.</summary>
    public GuestAgentSessionState State => Core.State;

    /// <summary>The version that the agent reports, or null if its policy forbids that.</summary>
    public string? AgentVersion => Core.Agent?.Version;

    /// <summary>Whether the guest's file systems are frozen, as far as this session has seen.</summary>
    public bool IsFrozen => Core.IsFrozen;

    /// <summary>Whether the agent echoes request ids (QEMU 4.0 and later).</summary>
    public bool EchoesRequestIds => Core.EchoesRequestIds;

    internal GuestAgentSession Core => _core ?? throw new InvalidOperationException($"'{Name}' is only named.");

    // What its channel is called, where only one session may use it at a time; else null.
    internal string? ChannelName { get; }

    internal ProcessList Processes { get; } = new();

    // What it is called where guests of other hosts may have the same name.
    internal string FullName => FullNameOf(Name, _core?.Endpoint.HostName);

    // What is in progress on the session, as the start of a sentence, or null.
    internal string? UnderWay =>
        Shells.Values.FirstOrDefault() is { } open ? open
            : Processes.All.Where(process => !process.HasExited).Select(process => $"process {process}").ToList() is { Count: > 0 } running
            ? $"{string.Join(", ", running)} has not been observed to end"
            : Core.OpenFiles.Count > 0 ? "a file in the guest is open for a copy"
            : State == GuestAgentSessionState.Busy ? "a command is running" : null;

    // PowerShell sessions and terminals through it, which end with it; each as the start of a sentence.
    internal ConcurrentDictionary<InteractiveProcess, string> Shells { get; } = new();

    // To be called once, when it is handed to the user.
    internal void TakeId() => Id = Interlocked.Increment(ref _lastId);

    internal static string FullNameOf(string name, string? hostName) => hostName is null ? name : $"{name}@{hostName}";

    /// <summary>The session's name.</summary>
    public override string ToString() => Name;
}
