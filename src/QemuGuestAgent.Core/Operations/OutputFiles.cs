using System.Text;
using System.Text.Json;
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

    private readonly string _name = $"qemu-guest-agent-{Guid.NewGuid():N}";
    private readonly List<(GuestAgentRequest Request, long? Handle)> _files = [];

    /// <summary>The folder that they are in.</summary>
    public string Folder { get; private set; } = "";

    /// <summary>Makes and opens them.</summary>
    public async Task CreateAsync(OperationTime time, CancellationToken cancellationToken)
    {
        // Where it is given up, it must be dead before the folder is removed: it would make it again.
        var making = await GuestProcess.StartAsync(session, Tool(CreateScript), time, cancellationToken).ConfigureAwait(false);
        var end = await making.GuardAsync(
            () => making.WaitForStatusAsync(time, cancellationToken), keepsOnTimeOut: false, time).ConfigureAwait(false);
        if (end.ExitCode != 0)
        {
            throw ErrorCatalogue.OutputFileNotMade.With(
                session.Endpoint, session.Endpoint, Encoding.UTF8.GetString(end.Errors).Trim());
        }

        Folder = Encoding.ASCII.GetString(end.Output);
        foreach (var name in new[] { "out", "err" })
        {
            var request = Files.OpenRequest($"{Folder}/{name}");
            _files.Add((request, null));
            var handle = await session.InvokeAsync(
                request, static (ref Utf8JsonReader reader) => reader.GetInt64(), time.Command(), cancellationToken)
                .ConfigureAwait(false);
            _files[_files.Count - 1] = (request, handle);
        }
    }

    /// <summary>Reads what has come to one of them.</summary>
    /// <returns>What has come, and whether there may be more already.</returns>
    public async Task<(byte[] Bytes, bool HasMore)> ReadAsync(
        GuestOutputKind stream, OperationTime time, CancellationToken cancellationToken)
    {
        var handle = _files[(int)stream].Handle!.Value;
        var bytes = await session.ReadFileAsync(handle, ReadBytes, time.Command(), cancellationToken).ConfigureAwait(false);
        return (bytes, bytes.Length == ReadBytes);
    }

    /// <summary>Closes them, as far as the agent answers.</summary>
    /// <param name="hasEnded">Whether the program has run to its end; if not, the names may be there still.</param>
    public async Task CloseAsync(bool hasEnded)
    {
        var time = new OperationTime(session.Clock, new CallOptions { Timeout = GuestProcess.CleanupTime });
        try
        {
            if (_files.Exists(file => file.Handle is null && file.Request.LateReply is null))
            {
                await session.SynchronizeAsync(time.Command()).ConfigureAwait(false);
            }

            foreach (var (request, handle) in _files)
            {
                if ((handle ?? Late(request)) is { } open)
                {
                    await session.CloseFileAsync(open, time.Command(), CancellationToken.None).ConfigureAwait(false);
                }
            }

            if (!hasEnded)
            {
                await GuestTools.RunToolAsync(session, Tool(RemoveScript), time, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (GuestAgentException)
        {
            // The agent does not answer: nothing can be done, and the caller is told why already.
        }
    }

    private static long? Late(GuestAgentRequest request) =>
        request.LateReply is { Error: null, Result: { ValueKind: JsonValueKind.Number } handle }
            && handle.TryGetInt64(out var number)
            ? number
            : null;

    private GuestExecution Tool(string script) => new("/bin/sh", "-c", script, "sh", _name);
}
