using System.Text;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Guests.Processes;

/// <summary>How a program in a guest ended, and what it wrote.</summary>
public sealed class GuestProcessResult
{
    private const int MaxLastLine = 200;

    private readonly Encoding _encoding;
    private string? _output;
    private string? _errors;

    internal GuestProcessResult(
        long processId, int? exitCode, int? signal, byte[] output, byte[] errors, bool isTruncated, TimeSpan? duration,
        Encoding encoding)
    {
        Pid = processId;
        ExitCode = exitCode;
        Signal = signal;
        StandardOutputBytes = output;
        StandardErrorBytes = errors;
        Truncated = isTruncated;
        Duration = duration;
        _encoding = encoding;
    }

    /// <summary>The process's id in the guest.</summary>
    public long Pid { get; }

    /// <summary>Its exit code, or null where a signal ended it.</summary>
    public int? ExitCode { get; }

    /// <summary>The number of the signal that ended it, or null.</summary>
    public int? Signal { get; }

    /// <summary>The standard output as text, with unchanged line ends.</summary>
    public string StandardOutput => _output ??= GuestText.Decode(StandardOutputBytes, _encoding);

    /// <summary>The standard error as text, with unchanged line ends.</summary>
    public string StandardError => _errors ??= GuestText.Decode(StandardErrorBytes, _encoding);

    /// <summary>Whether it wrote more than the agent keeps: 16 MiB of each stream.</summary>
    public bool Truncated { get; }

    /// <summary>The time from its start until its end was seen, or null where the start was not.</summary>
    public TimeSpan? Duration { get; }

    internal byte[] StandardOutputBytes { get; }

    internal byte[] StandardErrorBytes { get; }

    // What it wrote to both, by lines; whichever came first.
    internal IEnumerable<GuestProcessLine> Lines =>
        Read(GuestOutputKind.Output, StandardOutputBytes).Concat(Read(GuestOutputKind.Error, StandardErrorBytes));

    // The last line that it wrote, to standard error where it wrote there, for errors; null where it wrote none.
    internal string? LastLine
    {
        get
        {
            var text = StandardError.Trim() is { Length: > 0 } errors ? errors : StandardOutput.Trim();
            return text.Length == 0 ? null : SafeText.Escape(text.Substring(text.LastIndexOf('\n') + 1), MaxLastLine);
        }
    }

    // What a program that ended early wrote to standard error, on one line, for errors.
    internal static string LastWords(string errors)
    {
        var lines = SafeText.WithoutColors(errors).Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0).ToList();
        return lines.Count > 0 ? string.Join(" ", lines) : "it wrote nothing to standard error.";
    }

    /// <summary>What it wrote to a stream, as bytes. A method, so that PowerShell does not list them beside the text.</summary>
    /// <param name="stream">Standard output or standard error.</param>
    public byte[] GetBytes(GuestOutputKind stream) => stream == GuestOutputKind.Output ? StandardOutputBytes : StandardErrorBytes;

    /// <summary>How it ended, as exit code 0 or signal 9; in Windows also as exit code -1073741819 (0xC0000005).</summary>
    // A small negative one is a program's own, and known as that.
    public override string ToString() =>
        Signal is not null ? $"signal {Signal}" : ExitCode < short.MinValue ? $"exit code {ExitCode} (0x{ExitCode:X8})" : $"exit code {ExitCode}";

    // The same end, with what was read of its output otherwise.
    internal GuestProcessResult With(byte[] output, byte[] errors, bool isTruncated) =>
        new(Pid, ExitCode, Signal, output, errors, isTruncated, Duration, _encoding);

    private IEnumerable<GuestProcessLine> Read(GuestOutputKind stream, byte[] bytes)
    {
        var reader = new LineReader(stream, _encoding, int.MaxValue);
        return [.. reader.Read(bytes), .. reader.Finish()];
    }
}
