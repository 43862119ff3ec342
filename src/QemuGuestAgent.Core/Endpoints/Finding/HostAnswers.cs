using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using QemuGuestAgent.Core.Endpoints.Ssh;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints.Finding;

/// <summary>The answers of <see cref="HostScripts.Answer"/> on a host, each fetched once.</summary>
internal sealed class HostAnswers(SshHost host, HostScript script)
{
    // A host's processes are many, and any of its users can start more.
    private const long MaxBytes = 16 << 20;

    private readonly Dictionary<(char Question, string Path), string?> _known = [];
    private readonly HashSet<(char Question, string Path)> _wanted = [];
    private readonly PipeReader _reader = PipeReader.Create(script.Stream, new StreamPipeReaderOptions(bufferSize: 64 << 10, leaveOpen: true));
    private long _bytes;

    /// <summary>Whether something was asked for that is not here.</summary>
    public bool AreWanted => _wanted.Count > 0;

    /// <summary>The answer to a question; null where it is not there, or not here yet.</summary>
    public string? this[char question, string path]
    {
        get
        {
            if (!_known.TryGetValue((question, path), out var answer))
            {
                _wanted.Add((question, path));
            }

            return answer;
        }
    }

    /// <summary>Fetches what was asked for.</summary>
    /// <exception cref="GuestAgentException">SshFailed.</exception>
    public async Task FetchAsync(CancellationToken cancellationToken)
    {
        var questions = _wanted.ToList();
        _wanted.Clear();
        try
        {
            // The host answers the first before it has read the last.
            var asking = Task.Run(() => AskAsync(questions, cancellationToken), cancellationToken);
            _ = asking.ContinueWith(static failed => _ = failed.Exception, TaskScheduler.Default);
            foreach (var question in questions)
            {
                _known[question] = await ReadAnswerAsync(cancellationToken).ConfigureAwait(false);
            }

            await asking.ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw ErrorCatalogue.SshFailed.Because(e, host, e.Message, host.Command);
        }
    }

    private async Task AskAsync(List<(char Question, string Path)> questions, CancellationToken cancellationToken)
    {
        var text = string.Concat(questions.Select(asked => $"{asked.Question} {HostScripts.Encode(asked.Path)}\n"));
        await script.Stream.WriteAllAsync(Encoding.ASCII.GetBytes(text), cancellationToken).ConfigureAwait(false);
    }

    private async Task<string?> ReadAnswerAsync(CancellationToken cancellationToken)
    {
        var answer = new StringBuilder();
        while (await ReadLineAsync(cancellationToken).ConfigureAwait(false) is var line && line != script.Word)
        {
            answer.Append(answer.Length > 0 ? "\n" : "").Append(line);
        }

        return answer.ToString() is var text && text == "-" ? null : text;
    }

    private async Task<string> ReadLineAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await _reader.ReadAsync(cancellationToken).AsTask()
                .WaitAsync(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken).ConfigureAwait(false);
            var end = result.Buffer.PositionOf((byte)'\n');
            if (end is { } feed && _bytes < MaxBytes)
            {
                var line = Encoding.ASCII.GetString(result.Buffer.Slice(0, feed).ToArray());
                _bytes += line.Length + 1;
                _reader.AdvanceTo(result.Buffer.GetPosition(1, feed));
                return line;
            }

            if (_bytes + result.Buffer.Length > MaxBytes)
            {
                throw ErrorCatalogue.SshFailed.With(host, $"its answers have more than {MaxBytes >> 20} MiB", host.Command);
            }

            _reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }
}
