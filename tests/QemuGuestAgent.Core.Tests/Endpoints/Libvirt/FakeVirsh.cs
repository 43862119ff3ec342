using System.IO.Pipelines;
using System.Text;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Endpoints.Libvirt;

namespace QemuGuestAgent.Core.Tests.Endpoints.Libvirt;

/// <summary>The input and output of a virsh that has one domain.</summary>
internal sealed class FakeVirsh : ChannelStream
{
    public const string Id = "6695eb01-f6a4-8304-79aa-97f2502e193f";
    public const string OtherId = "77c9d652-ba78-409f-bfdc-4933c79b0450";

    private readonly Pipe _output = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly StringBuilder _input = new();
    private bool _isBroken;

    public FakeVirsh() => Libvirt = new VirshLibvirt(arguments =>
    {
        Arguments = arguments;
        return this;
    });

    public VirshLibvirt Libvirt { get; }

    public IReadOnlyList<string> Arguments { get; private set; } = [];

    /// <summary>The commands so far, without marks.</summary>
    public List<string> Commands { get; } = [];

    /// <summary>The output of list.</summary>
    public string Domains { get; set; } = $"{Id} labvm\n{OtherId} other\n";

    /// <summary>The output of a command; null for that of a domain with an agent.</summary>
    public Func<string, string?> Answer { get; set; } = _ => null;

    /// <summary>What it ends with after the next output.</summary>
    public IOException? End { get; set; }

    /// <summary>What is written behind the next prompt, before the line is repeated.</summary>
    public string Before { get; set; } = "";

    public bool HasReadline { get; set; } = true;

    /// <summary>Whether it writes line after line.</summary>
    public bool IsEndless { get; set; }

    /// <summary>Whether it writes nothing.</summary>
    public bool IsSilent { get; set; }

    /// <summary>Whether a command came while it is silent.</summary>
    public bool IsAsked { get; private set; }

    public bool IsClosed { get; private set; }

    protected override async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (IsEndless)
        {
            buffer.Span.Fill((byte)'\n');
            return buffer.Length;
        }

        var result = await _output.Reader.ReadAsync(cancellationToken);
        var taken = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, buffer.Length));
        var count = 0;
        foreach (var part in taken)
        {
            part.Span.CopyTo(buffer.Span[count..]);
            count += part.Length;
        }

        _output.Reader.AdvanceTo(taken.End);
        return count > 0 || End is null ? count : throw End;
    }

    protected override async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        if (IsSilent)
        {
            IsAsked = true;
            return;
        }

        _input.Append(Encoding.ASCII.GetString(bytes.Span));
        var lines = _input.ToString().Split('\n');
        _input.Clear().Append(lines[^1]);
        foreach (var line in lines[..^1].TakeWhile(_ => !_isBroken))
        {
            await WriteAsync($"virsh # {Before}{(HasReadline ? Echo(line) : "")}");
            Before = "";
            try
            {
                await WriteAsync(Execute(line));
                if (End is not null)
                {
                    throw End;
                }
            }
            catch (IOException e)
            {
                (_isBroken, End) = (true, e);
                await _output.Writer.CompleteAsync();
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (!IsClosed)
        {
            (IsClosed, _isBroken) = (true, true);
            _output.Writer.Complete(new ObjectDisposedException(nameof(FakeVirsh)));
        }

        base.Dispose(disposing);
    }

    private static string Echo(string line) => (line.Length < 72 ? line : $"\r<{line[^70..]}") + "\n";

    private string Execute(string line)
    {
        if (line.StartsWith("qga-mark-", StringComparison.Ordinal))
        {
            return $"error: unknown command: '{line}'\n";
        }

        Commands.Add(line);
        return Answer(line) ?? line.Split(' ')[0] switch
        {
            "uri" => "qemu:///system\n\n",
            "list" => Domains,
            "domid" => "1\n\n",
            "qemu-agent-command" => "{}\n\n",
            _ => "error: unexpected\n",
        };
    }

    private async Task WriteAsync(string text) => await _output.Writer.WriteAsync(Encoding.UTF8.GetBytes(text));
}
