using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Processes;

// The same process by another session, or by another process of this user.
public sealed partial class GuestProcess
{
    /// <summary>The same process, reached through another session with the agent that started it.</summary>
    /// <param name="session">The session.</param>
    public GuestProcess Through(GuestAgentSession session) =>
        new(session, Pid, FilePath, _wrapper, _encoding, null) { _end = _end, _duration = _duration };

    /// <summary>A process of which another process of this user has kept a record.</summary>
    internal static GuestProcess Of(GuestAgentSession session, ProcessRecord record)
    {
        var process = new GuestProcess(
            session, record.Pid, record.FilePath, record.Token is { } token ? new LaunchWrapper(token) : null,
            GuestText.Named(record.Encoding), null);
        process.Adopt(record);
        return process;
    }

    /// <summary>Takes its end from a record; whether that tells it.</summary>
    internal bool Adopt(ProcessRecord record)
    {
        _duration ??= record.Duration;
        _end ??= record.End;
        return _end is not null;
    }

    /// <summary>What is to be kept of it for other processes of this user.</summary>
    internal ProcessRecord ToRecord(string channel, string guestName, DateTime? startTime) =>
        new(channel, guestName, Pid, FilePath, startTime, _wrapper?.Token, _encoding.WebName, _end, _duration);
}
