using System.Text;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations;

/// <summary>
/// Two files in the guest that a program writes to and the agent reads from. Both are opened before the program runs; then the
/// shell that becomes the program removes their names, so that nothing is left behind whatever happens.
/// </summary>
internal sealed class OutputFiles(GuestAgentSession session)
{
    // $1 is the folder's name. It is made anew or not at all: nobody else can have prepared it.
    private const string CreateScript = """
        umask 077
        for parent in /var/tmp /tmp; do
          mkdir "$parent/$1" && : >"$parent/$1/out" && : >"$parent/$1/err" && printf %s "$parent/$1" && exit
        done
        exit 1
        """;

    private const string RemoveScript = """rm -rf "/var/tmp/$1" "/tmp/$1" """;

    // The fastest for the agent.
    private const int ReadBytes = 64 << 10;

    private readonly string _name = NewName();
    private readonly List<GuestFile> _files = [];
    private readonly byte[] _buffer = new byte[ReadBytes];

    /// <summary>The folder that they are in.</summary>
    public string Folder { get; private set; } = "";

    /// <summary>A name for a folder that nobody else has.</summary>
    public static string NewName() => $"qemu-guest-agent-{Guid.NewGuid():N}";

    /// <summary>Removes a folder by its name.</summary>
    public static Task RemoveAsync(GuestAgentSession session, string name, OperationTime time) =>
        GuestTools.RunToolAsync(session, Tool(RemoveScript, name), time, CancellationToken.None);

    /// <summary>Makes and opens them.</summary>
    public async Task CreateAsync(OperationTime time, CancellationToken cancellationToken)
    {
        // Where it is given up, it must be dead before the folder is removed: it would make it again.
        var end = await GuestTools.RunGuardedToolAsync(session, Tool(CreateScript, _name), time, cancellationToken).ConfigureAwait(false);
        if (end.ExitCode != 0)
        {
            throw ErrorCatalogue.OutputFileNotMade.With(
                session.Endpoint, session.Endpoint, Encoding.UTF8.GetString(end.Errors).Trim());
        }

        Folder = Encoding.ASCII.GetString(end.Output);
        foreach (var name in new[] { "out", "err" })
        {
            _files.Add(await GuestFile.OpenAsync(session, $"{Folder}/{name}", "r", time, cancellationToken).ConfigureAwait(false));
        }
    }

    /// <summary>Reads what has come to one of them.</summary>
    /// <returns>What has come, and whether there may be more already.</returns>
    public async Task<(byte[] Bytes, bool HasMore)> ReadAsync(GuestOutputKind stream, CancellationToken cancellationToken)
    {
        var count = await _files[(int)stream].ReadAsync(_buffer, ReadBytes, cancellationToken).ConfigureAwait(false);
        return (_buffer.AsSpan(0, count).ToArray(), count == ReadBytes);
    }

    /// <summary>Closes them, as far as the agent answers.</summary>
    /// <param name="hasEnded">Whether the program has run to its end; if not, the names may be there still.</param>
    public async Task CloseAsync(bool hasEnded)
    {
        foreach (var file in _files)
        {
            await file.DisposeAsync().ConfigureAwait(false);
        }

        if (hasEnded)
        {
            return;
        }

        try
        {
            var time = new OperationTime(session.Clock, new CallOptions { Timeout = GivenUp.CleanupTime });
            await RemoveAsync(session, _name, time).ConfigureAwait(false);
        }
        catch (GuestAgentException)
        {
            // The agent does not answer: nothing can be done, and the caller is told why already.
        }
    }

    private static GuestExecution Tool(string script, string name) => new("/bin/sh", "-c", script, "sh", name);
}
