using System.Globalization;
using System.Text.Json;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Endpoints;

namespace QemuGuestAgent.Core.Guests.Processes;

/// <summary>
/// A process that this user started in a guest, for other processes of this user: the agent lists none, and tells the end of one only once,
/// so that whoever is told keeps it until it is fetched. The records are files in a folder that no other user can open.
/// </summary>
/// <param name="Channel">What identifies the guest's channel.</param>
/// <param name="GuestName">The guest's name.</param>
/// <param name="Pid">The process's id in the guest.</param>
/// <param name="FilePath">The program, or null where it is not known.</param>
/// <param name="StartTime">When it was started, by the clock of this computer, or null.</param>
/// <param name="Token">The token of its <see cref="LaunchWrapper"/>, or null.</param>
/// <param name="Encoding">The name of the encoding of what it writes.</param>
/// <param name="End">How it ended, or null while that is not known.</param>
/// <param name="Duration">The time until its end was seen, or null.</param>
internal sealed record ProcessRecord(
    string Channel, string GuestName, long Pid, string? FilePath, DateTime? StartTime, string? Token, string Encoding,
    GuestExecutionStatus? End, TimeSpan? Duration)
{
    private const string Extension = ".process";

    // Guests are removed, and nobody fetches what ran in them.
    private static readonly TimeSpan MaxAge = TimeSpan.FromDays(30);

    /// <summary>The records of a guest's processes, oldest first.</summary>
    /// <param name="channel">What identifies the guest's channel.</param>
    /// <param name="tell">Receives messages about what cannot be read.</param>
    public static IReadOnlyList<ProcessRecord> Find(string channel, Action<string> tell) => Try(tell, () =>
    {
        var files = new DirectoryInfo(UserFolder.ForRecords(tell)).GetFiles($"{EndpointLock.FileName(channel)}-*{Extension}");
        return (IReadOnlyList<ProcessRecord>)[.. files.OrderBy(file => file.LastWriteTimeUtc).Select(file => Read(file, tell)).OfType<ProcessRecord>()
            .Where(record => record.Channel == channel)];
    }) ?? [];

    /// <summary>Writes it, in place of an earlier record of the same process.</summary>
    /// <param name="tell">Receives a message if that fails.</param>
    public void Save(Action<string> tell) => Try(tell, () =>
    {
        var folder = UserFolder.ForRecords(tell);
        foreach (var old in new DirectoryInfo(folder).GetFiles($"*{Extension}*").Where(file => DateTime.UtcNow - file.LastWriteTimeUtc > MaxAge))
        {
            old.Delete();
        }

        var path = PathIn(folder);
        var partial = $"{path}.{Guid.NewGuid():N}";
        File.WriteAllBytes(partial, JsonSerializer.SerializeToUtf8Bytes(this));
#if NET
        File.Move(partial, path, overwrite: true);
#else
        File.Delete(path);
        File.Move(partial, path);
#endif
        return path;
    });

    /// <summary>Removes it: its end was fetched, or the agent no longer knows it.</summary>
    /// <param name="tell">Receives a message if that fails.</param>
    public void Remove(Action<string> tell) => Try(tell, () =>
    {
        var path = PathIn(UserFolder.ForRecords(tell));
        File.Delete(path);
        return path;
    });

    private string PathIn(string folder) => Path.Combine(
        folder, $"{EndpointLock.FileName(Channel)}-{Pid.ToString(CultureInfo.InvariantCulture)}{Extension}");

    private static ProcessRecord? Read(FileInfo file, Action<string> tell) => Try(tell, () =>
    {
        try
        {
            // Opening a pipe would block.
            var isFile = FileStatus.Of(file.FullName) is not { } status || status.IsFile;
            var record = isFile ? JsonSerializer.Deserialize<ProcessRecord>(File.ReadAllBytes(file.FullName)) : null;
            _ = record is null ? null : GuestText.Named(record.Encoding);
            return record is { Pid: > 0 } ? record : throw new JsonException("it is not a record");
        }
        catch (FileNotFoundException)
        {
            // Fetched by another process meanwhile.
            return null;
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            tell($"The record '{file.FullName}' of a process cannot be read: {e.Message}");
            return null;
        }
    });

    private static T? Try<T>(Action<string> tell, Func<T?> work)
        where T : class
    {
        try
        {
            return work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            tell($"The records of processes cannot be used: {e.Message}");
            return null;
        }
    }
}
