using System.Globalization;
using System.Text;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>
/// A folder in the guest with the files that a program writes to and the agent reads from. Where the host is gone without a word, the
/// guest kills the program and removes the folder.
/// </summary>
internal sealed class OutputFiles(GuestAgentSession session, HostWatch watch)
{
    /// <summary>The file of standard output.</summary>
    public const string Output = "out";

    /// <summary>The file of standard error.</summary>
    public const string Errors = "err";

    private const long FreedBytes = 16 << 20;

    private readonly string _name = $"qemu-guest-agent-{Guid.NewGuid():N}";
    private readonly List<GuestFile> _files = [];
    private readonly Dictionary<string, (long Read, long Freed)> _done = [];
    private long _lastSign = session.Clock.GetTimestamp();
    private bool _cannotFree;

    /// <summary>The folder that they are in.</summary>
    public string Folder { get; private set; } = "";

    /// <summary>The agent's handles of them, as the guest writes them down for the next client.</summary>
    public string Handles => string.Join(" ", _files.Select(file => file.Handle));

    /// <summary>How long it is until a sign of life is due.</summary>
    public TimeSpan NextSign => watch.Heartbeat - session.Clock.GetElapsedTime(_lastSign);

    /// <summary>Makes the folder, with files for output and errors and some named pipes, and closes what hosts left open that were gone.</summary>
    /// <exception cref="GuestAgentException">OutputFileNotMade, and those of a command.</exception>
    public async Task CreateAsync(IReadOnlyList<string> pipes, OperationTime time, CancellationToken cancellationToken)
    {
        // If this is cancelled, the script must be dead before the folder is removed: it would create it again.
        var end = await session.RunGuardedToolAsync(OutputScripts.MakeFolder(_name, watch, pipes), time, cancellationToken).ConfigureAwait(false);
        if (end.ExitCode != 0)
        {
            throw ErrorCatalogue.OutputFileNotMade.With(
                session.Endpoint, Encoding.UTF8.GetString(end.Errors).Trim());
        }

        _lastSign = session.Clock.GetTimestamp();
        var lines = Encoding.ASCII.GetString(end.Output).Split('\n');
        Folder = lines[0];
        foreach (var text in lines.Skip(1).SelectMany(line => line.Split(' ')))
        {
            await CloseLeftAsync(text, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Opens one of them.</summary>
    public async Task<GuestFile> OpenAsync(string name, string mode, OperationTime time, CancellationToken cancellationToken)
    {
        var file = await GuestFile.OpenAsync(session, $"{Folder}/{name}", mode, time, cancellationToken).ConfigureAwait(false);
        _files.Add(file);
        return file;
    }

    /// <summary>Gives a sign of life, where one is due.</summary>
    public async Task GiveSignAsync(OperationTime time, CancellationToken cancellationToken)
    {
        if (NextSign <= TimeSpan.Zero)
        {
            // One that fails is followed by the next in its time.
            _lastSign = session.Clock.GetTimestamp();
            await session.RunToolAsync(OutputScripts.GiveSign(Folder), time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Takes note of what was read of one of them, and has its room given back. Where the guest cannot make holes, it grows.</summary>
    public async Task FreeAsync(string name, int count, OperationTime time, CancellationToken cancellationToken)
    {
        var (read, freed) = _done.TryGetValue(name, out var done) ? done : default;
        read += count;
        _done[name] = (read, freed);
        if (_cannotFree || read - freed < FreedBytes)
        {
            return;
        }

        var end = await session.RunToolAsync(OutputScripts.FreeRoom(Folder, name, read), time, cancellationToken).ConfigureAwait(false);
        _cannotFree = end.ExitCode != 0;
        _done[name] = (read, read);
    }

    /// <summary>Closes them, as far as the agent answers.</summary>
    public async Task CloseAsync()
    {
        foreach (var file in _files)
        {
            await file.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Removes the folder, after killing the program if it still runs; or keeps the program, and the guest removes the folder later. If the
    /// agent does not answer, the guest does it once it considers the host gone.
    /// </summary>
    public Task RemoveAsync(bool keepsProgram) => session.TryRunToolAsync(OutputScripts.EndAll(_name, keepsProgram));

    // The agent never gives a handle's number twice.
    private async Task CloseLeftAsync(string handle, OperationTime time, CancellationToken cancellationToken)
    {
        try
        {
            if (long.TryParse(handle, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                await session.CloseFileAsync(number, time.Command(), cancellationToken).ConfigureAwait(false);
            }
        }
        catch (GuestAgentException e) when (e.Is(ErrorCatalogue.AgentError))
        {
            // Closed already, by a host that was slow only.
        }
    }
}
