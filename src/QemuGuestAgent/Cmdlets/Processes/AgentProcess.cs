using QemuGuestAgent.Core.Guests.Processes;

namespace QemuGuestAgent;

/// <summary>A process that was started in a guest, in its last known state.</summary>
public sealed class AgentProcess
{
    internal AgentProcess(Guest guest, GuestProcess core, DateTime? startTime = null)
    {
        Guest = guest;
        Core = core;
        StartTime = startTime;
    }

    /// <summary>The name of the guest.</summary>
    public string PSGuestName => Guest.Name;

    /// <summary>The endpoint of the guest's agent, in the syntax of -Endpoint.</summary>
    public string Endpoint => Guest.Session.Endpoint.ToString();

    /// <summary>Its id in the guest.</summary>
    public long Pid => Core.Pid;

    /// <summary>The program, or null if it was not started by this session.</summary>
    public string? FilePath => Core.FilePath;

    /// <summary>When it was started, by the clock of this computer, or null.</summary>
    public DateTime? StartTime { get; }

    /// <summary>Whether it is known to have ended.</summary>
    public bool HasExited => Core.Result is not null;

    /// <summary>Its exit code once it has ended; also null if a signal ended it.</summary>
    public int? ExitCode => Core.Result?.ExitCode;

    /// <summary>The number of the signal that ended it, or null.</summary>
    public int? Signal => Core.Result?.Signal;

    internal Guest Guest { get; }

    internal GuestProcess Core { get; }

    /// <summary>The same process, reached through another session.</summary>
    internal AgentProcess Through(Guest guest) => new(guest, Core.Through(guest.Session), StartTime);

    /// <summary>Its id and its program.</summary>
    public override string ToString() => FilePath is null ? $"{Pid}" : $"{Pid} ({FilePath})";
}
