using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.EmbeddedAgent;

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

    /// <summary>The host that ssh or libvirt reaches the guest through; null where that is this computer.</summary>
    public string? PSHostName => Guest.Target.HostName;

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

    // What identifies its guest for other processes of this user; null where there is no such guest.
    private string? Channel => ChannelOf(Guest);

    /// <summary>Its id and its program.</summary>
    public override string ToString() => FilePath is null ? $"{Pid}" : $"{Pid} ({FilePath})";

    /// <summary>Those that this user started in a guest, from any PowerShell process, and whose results have not been retrieved.</summary>
    /// <param name="guest">The guest.</param>
    /// <param name="tell">Receives messages about what cannot be read.</param>
    internal static IEnumerable<AgentProcess> Find(Guest guest, Action<string> tell)
    {
        var known = guest.UserSession?.Processes.All ?? [];
        var records = ChannelOf(guest) is { } channel ? ProcessRecord.Find(channel, tell) : [];
        return known.Concat(records.Where(record => known.All(process => process.Pid != record.Pid))
            .Select(record => new AgentProcess(guest, GuestProcess.Of(guest.Session, record), record.StartTime)));
    }

    /// <summary>The same process, reached through another session.</summary>
    internal AgentProcess Through(Guest guest) => new(guest, Core.Through(guest.Session), StartTime);

    /// <summary>Records it so that this user's other PowerShell processes can find it.</summary>
    internal void Keep(Action<string> tell)
    {
        if (Channel is { } channel)
        {
            Core.ToRecord(channel, Guest.Name, StartTime).Save(tell);
        }
    }

    /// <summary>Removes its record, because its result was retrieved.</summary>
    internal void Forget(Action<string> tell)
    {
        Guest.UserSession?.Processes.Remove(this);
        if (Channel is { } channel)
        {
            Core.ToRecord(channel, Guest.Name, StartTime).Remove(tell);
        }
    }

    /// <summary>Asks for its end, which another PowerShell may have been told meanwhile.</summary>
    /// <exception cref="GuestAgentException">As the question.</exception>
    internal async Task<GuestProcessResult?> AskAsync(Func<Task<GuestProcessResult?>> ask, Action<string> tell)
    {
        try
        {
            return await ask().ConfigureAwait(false);
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.ProcessUnknown) && Channel is { } channel)
        {
            var record = ProcessRecord.Find(channel, tell).FirstOrDefault(record => record.Pid == Pid);
            if (record is not null && Core.Adopt(record))
            {
                return Core.Result;
            }

            record?.Remove(tell);
            throw;
        }
    }

    private static string? ChannelOf(Guest guest) =>
        guest.Session.Endpoint is var endpoint && endpoint is EmbeddedEndpoint ? null : endpoint.LockName ?? $"{endpoint}";
}
