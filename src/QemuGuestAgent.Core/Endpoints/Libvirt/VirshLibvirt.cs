using System.Globalization;
using System.Text;

namespace QemuGuestAgent.Core.Endpoints.Libvirt;

/// <summary>
/// libvirt by the program virsh, for a computer that has no library of it. One virsh serves a connection and reads commands from its
/// input. Each is followed by a line that is no command: virsh says so when it has written all output of the command.
/// </summary>
/// <param name="start">
/// Starts virsh with these arguments, and with <see cref="Variables"/> in its environment. The stream is its input, and its output and
/// error output in one.
/// </param>
internal sealed class VirshLibvirt(Func<IReadOnlyList<string>, Stream> start) : ILibvirt
{
    /// <summary>The longest output of a command. libvirt's own longest reply has 4 MiB.</summary>
    private const int MaxOutputBytes = 64 << 20;

    // How many characters are told of an output that is not understood.
    private const int MaxWords = 1000;

    // How the line begins that is no command.
    private const string Mark = "qga-mark-";

    // Nothing can be created in it.
    private const string NoFolder = "/dev/null";

    // EACCES.
    private const int AccessDenied = 13;

    private const string Closed = "the connection to virsh is closed";

    private static readonly byte[][] Prompts = [Encoding.ASCII.GetBytes("virsh # "), Encoding.ASCII.GetBytes("virsh > ")];
    private static readonly byte[] ErrorPrefix = Encoding.ASCII.GetBytes("error: ");

    // How libvirt's errors begin (virErrorMsgStrings in its virerror.c). Errors of the system and of RPC have no beginning in common.
    private static readonly (string Text, LibvirtError Code)[] Beginnings =
    [
        ("internal error", LibvirtError.Internal),
        ("operation forbidden", LibvirtError.OperationDenied),
        ("Unable to encode message", LibvirtError.Rpc),
        ("Unable to decode message", LibvirtError.Rpc),
        ("packet ", LibvirtError.Rpc),
        ("Domain not found", LibvirtError.NoDomain),
        ("authentication failed", LibvirtError.AuthenticationFailed),
        ("Requested operation is not valid", LibvirtError.OperationInvalid),
        ("Timed out during operation", LibvirtError.OperationTimeout),
        ("argument unsupported", LibvirtError.ArgumentUnsupported),
        ("authentication cancelled", LibvirtError.AuthenticationCancelled),
        ("Guest agent is not responding", LibvirtError.AgentUnresponsive),
        ("access denied", LibvirtError.AccessDenied),
        ("authentication unavailable", LibvirtError.AuthenticationUnavailable),
        ("guest agent replied with wrong id", LibvirtError.AgentUnsynchronised),
        ("guest agent command timed out", LibvirtError.AgentCommandTimeout),
    ];

    /// <summary>
    /// The environment that virsh needs: errors in English, no escape sequences, no keys of the user's own, and no history. A history
    /// would keep all commands, with passwords; an empty one would replace the user's, and is not written where its folder cannot be made.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Variables { get; } = new Dictionary<string, string>
    {
        ["LC_ALL"] = "C",
        ["TERM"] = "dumb",
        ["INPUTRC"] = "/dev/null",
        ["VIRSH_HISTSIZE"] = "0",
        ["XDG_CACHE_HOME"] = NoFolder,
    };

    /// <inheritdoc/>
    public ILibvirtConnection Connect(string? uri, bool readOnly)
    {
        var arguments = new List<string> { "-q" };
        if (readOnly)
        {
            arguments.Add("-r");
        }

        if (uri is not null)
        {
            arguments.AddRange(["-c", uri]);
        }

        var shell = new Shell(start(arguments));
        try
        {
            // A virsh that could not connect may go on, and try again at each command.
            shell.Run("uri", static line => !IsError(line) && line.Span.IndexOf("://"u8) > 0);
            return new Connection(shell);
        }
        catch
        {
            shell.Release();
            throw;
        }
    }

    // virsh reads by readline, which takes other characters for keys. In JSON, they and quotes are in strings only, where an escape
    // stands for them; a control character is white space.
    private static string ToAscii(ReadOnlySpan<byte> json)
    {
        var text = new StringBuilder(json.Length);
        foreach (var c in Encoding.UTF8.GetString(json.ToArray()))
        {
            _ = c switch
            {
                < ' ' => text.Append(' '),
                '\'' or > '~' => text.Append("\\u").Append(((int)c).ToString("X4", CultureInfo.InvariantCulture)),
                _ => text.Append(c),
            };
        }

        return text.ToString();
    }

    private static string ToText(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.ToArray());

    private static bool IsError(ReadOnlyMemory<byte> line) => line.Span.StartsWith(ErrorPrefix);

    private static ReadOnlyMemory<byte> WithoutPrompt(ReadOnlyMemory<byte> line) =>
        Prompts.Any(prompt => line.Span.StartsWith(prompt)) ? line.Slice(Prompts[0].Length) : line;

    /// <summary>What virsh has written from one mark to the next.</summary>
    private sealed class Output(ReadOnlyMemory<byte> bytes, string command)
    {
        // Readline repeats the lines that it reads: a long one after a carriage return, and in part. They must not get into an error's
        // text, because a command may contain a password. At its end, virsh may say that it cannot keep a history.
        private readonly byte[][] _ignored =
        [
            Encoding.ASCII.GetBytes(command.Split(' ')[0]), "\r"u8.ToArray(), Encoding.ASCII.GetBytes(Mark),
            Encoding.ASCII.GetBytes($"error: Failed to create '{NoFolder}/"),
        ];

        /// <summary>The lines of the command's output. A virsh without readline writes the first behind the prompt.</summary>
        public IEnumerable<ReadOnlyMemory<byte>> Lines =>
            Split(bytes).Select(WithoutPrompt).Where(line => !Array.Exists(_ignored, beginning => line.Span.StartsWith(beginning)));

        /// <summary>The error, if it has one. The first known text decides: what follows may be a guest's own words.</summary>
        public LibvirtException? Error
        {
            get
            {
                var texts = Lines.Where(IsError).Select(TextOf).ToList();
                if (texts.Count == 0)
                {
                    return null;
                }

                // A text may have several lines.
                var message = string.Join(" ", Lines.SkipWhile(line => !IsError(line)).Select(TextOf).Where(text => text.Length > 0));
                foreach (var text in texts)
                {
                    if (Array.Find(Beginnings, known => text.StartsWith(known.Text, StringComparison.Ordinal)) is { Text: not null } found)
                    {
                        return new LibvirtException(found.Code, message);
                    }

                    if (text.EndsWith(": Permission denied", StringComparison.Ordinal))
                    {
                        return new LibvirtException(LibvirtError.System, message, AccessDenied);
                    }
                }

                // virsh says this of every error of a look-up, and may add the error itself.
                var isMissing = texts.Any(text => text.StartsWith("failed to get domain '", StringComparison.Ordinal));
                return new LibvirtException(isMissing ? LibvirtError.NoDomain : LibvirtError.Internal, message);
            }
        }

        /// <summary>The end of the output as it is: a shell may say that there is no virsh.</summary>
        public string Words
        {
            get
            {
                var text = string.Join(" ", Lines.Select(ToText)).Trim().TrimEnd('.');
                return text.Substring(Math.Max(0, text.Length - MaxWords));
            }
        }

        private static IEnumerable<ReadOnlyMemory<byte>> Split(ReadOnlyMemory<byte> bytes)
        {
            while (!bytes.IsEmpty)
            {
                var end = bytes.Span.IndexOf((byte)'\n') is var feed && feed < 0 ? bytes.Length : feed;
                yield return bytes.Slice(0, end);
                bytes = bytes.Slice(Math.Min(end + 1, bytes.Length));
            }
        }

        private static string TextOf(ReadOnlyMemory<byte> line) => ToText(IsError(line) ? line.Slice(ErrorPrefix.Length) : line);
    }

    private sealed class Connection(Shell shell) : ILibvirtConnection
    {
        // The length of a UUID.
        private const int IdLength = 36;

        private Shell? _shell = shell;

        private Shell Open => _shell ?? throw new LibvirtException(LibvirtError.System, Closed);

        // A name is not sent: virsh would take 1 for the domain with the id 1, whatever its name is.
        public ILibvirtDomain FindDomain(string name)
        {
            // Old versions fill a short name up with spaces.
            var domains = List("list --all --uuid --name");
            var id = domains.Find(domain => domain.Name == name).Id
                ?? domains.Find(domain => domain.Name.TrimEnd(' ') == name.TrimEnd(' ')).Id
                ?? throw new LibvirtException(LibvirtError.NoDomain, $"Domain not found: no domain with matching name '{name}'");
            return new Domain(Open.Share(), id);
        }

        public IReadOnlyList<string> DescribeActiveDomains()
        {
            var descriptions = new List<string>();
            foreach (var (id, _) in List("list --uuid"))
            {
                try
                {
                    var output = Open.Run($"dumpxml {id}", IsDescription);
                    descriptions.Add(string.Join("\n", output.Lines.SkipWhile(line => !IsDescription(line)).Select(ToText)));
                }
                catch (LibvirtException e) when (e.Code == LibvirtError.NoDomain)
                {
                    // It has ended meanwhile.
                }
            }

            return descriptions;

            static bool IsDescription(ReadOnlyMemory<byte> line) => line.Span.StartsWith("<domain"u8);
        }

        public void Dispose() => Interlocked.Exchange(ref _shell, null)?.Release();

        private static bool BeginsWithId(ReadOnlyMemory<byte> line) =>
            line.Length >= IdLength && Guid.TryParseExact(ToText(line.Slice(0, IdLength)), "D", out _);

        private List<(string Id, string Name)> List(string command) =>
        [
            .. Open.Run(command, BeginsWithId).Lines.Where(BeginsWithId).Select(ToText)
                .Select(text => (text.Substring(0, IdLength), text.Substring(Math.Min(IdLength + 1, text.Length)))),
        ];
    }

    private sealed class Domain(Shell shell, string id) : ILibvirtDomain
    {
        private Shell? _shell = shell;

        // A domain has a number as long as it is active, also paused or crashed.
        public bool IsActive => Run($"domid {id}", IsNumber).Lines.Any(line => IsNumber(line) && line.Span[0] != (byte)'-');

        public byte[] SendAgentCommand(ReadOnlySpan<byte> command, int seconds)
        {
            var time = seconds > 0 ? $"--timeout {seconds.ToString(CultureInfo.InvariantCulture)}" : "--block";
            var reply = Run($"qemu-agent-command {id} {time} '{ToAscii(command)}'", IsReply).Lines.LastOrDefault(IsReply);
            return reply.IsEmpty ? throw new LibvirtException(LibvirtError.Internal, "virsh gives no reply") : reply.ToArray();

            static bool IsReply(ReadOnlyMemory<byte> line) => line.Span.StartsWith("{"u8);
        }

        public void Dispose() => Interlocked.Exchange(ref _shell, null)?.Release();

        // A hyphen is that of a domain that is not active.
        private static bool IsNumber(ReadOnlyMemory<byte> line) =>
            ToText(line) is var text && (text == "-" || int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _));

        private Output Run(string command, Func<ReadOnlyMemory<byte>, bool> isAnswer) =>
            (_shell ?? throw new LibvirtException(LibvirtError.System, Closed)).Run(command, isAnswer);
    }

    /// <summary>A virsh, which ends with the last of the connection and its domains.</summary>
    private sealed class Shell(Stream stream)
    {
        private readonly object _gate = new();
        private readonly byte[] _buffer = new byte[1 << 16];
        private int _holders = 1;

        public Shell Share()
        {
            Interlocked.Increment(ref _holders);
            return this;
        }

        public void Release()
        {
            if (Interlocked.Decrement(ref _holders) == 0)
            {
                stream.Dispose();
            }
        }

        /// <summary>The output of a command. An error is thrown where no line of it is an answer.</summary>
        public Output Run(string command, Func<ReadOnlyMemory<byte>, bool> isAnswer)
        {
            lock (_gate)
            {
                var output = Run(command);
                return !output.Lines.Any(isAnswer) && output.Error is { } error ? throw error : output;
            }
        }

        private Output Run(string command)
        {
            using var output = new MemoryStream();
            try
            {
                // Read meanwhile: a virsh that writes without end does not read.
                var mark = $"{Mark}{Guid.NewGuid():N}";
                var sending = stream.WriteAllAsync(Encoding.ASCII.GetBytes($"{command}\n{mark}\n"), CancellationToken.None).AsTask();
                var bytes = ReadTo(mark, output) ?? throw sending.Exception?.InnerException ?? new IOException("virsh has ended");
                return new Output(bytes, command);
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                stream.Dispose();
                throw End(e, new Output(output.ToArray(), command));
            }
            catch
            {
                stream.Dispose();
                throw;
            }
        }

        // Null where the output ends without the mark.
        private ReadOnlyMemory<byte>? ReadTo(string mark, MemoryStream output)
        {
            var (line, position) = (0, 0);
            while (stream.Read(_buffer, 0, _buffer.Length) is var count && count > 0)
            {
                if (output.Length + count > MaxOutputBytes)
                {
                    throw new LibvirtException(LibvirtError.Internal, $"virsh writes more than {MaxOutputBytes >> 20} MiB for one command");
                }

                output.Write(_buffer, 0, count);
                var all = output.GetBuffer().AsMemory(0, (int)output.Length);
                while (all.Span.Slice(position).IndexOf((byte)'\n') is var feed && feed >= 0)
                {
                    if (IsAnswerToMark(all.Slice(line, position + feed - line), mark))
                    {
                        return WithoutMark(all.Slice(0, line), mark);
                    }

                    position += feed + 1;
                    line = position;
                }

                position = all.Length;
            }

            return null;
        }

        private static bool IsAnswerToMark(ReadOnlyMemory<byte> line, string mark)
        {
            var text = WithoutPrompt(line);
            return IsError(text) && text.Span.IndexOf(Encoding.ASCII.GetBytes(mark)) >= 0;
        }

        // Without the prompt and the mark that readline repeats: output without an end of line is on one line with them.
        private static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> output, string mark)
        {
            var end = Encoding.ASCII.GetBytes($"{mark}\n");
            if (!output.Span.EndsWith(end))
            {
                return output;
            }

            var rest = output.Slice(0, output.Length - end.Length);
            return Prompts.Any(prompt => rest.Span.EndsWith(prompt)) ? rest.Slice(0, rest.Length - Prompts[0].Length) : rest;
        }

        private static LibvirtException End(Exception reason, Output output)
        {
            var message = reason is ObjectDisposedException ? Closed : reason.Message;
            return output.Error
                ?? new LibvirtException(LibvirtError.System, output.Words is { Length: > 0 } words ? $"{message}: {words}" : message);
        }
    }
}
