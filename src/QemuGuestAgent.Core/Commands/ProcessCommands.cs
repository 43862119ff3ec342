using System.Collections.Specialized;
using System.Text.Json;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Commands;

/// <summary>The arguments of guest-exec.</summary>
/// <param name="Path">The path of the program in the guest; a name without a slash is searched for on the agent's PATH.</param>
/// <param name="Arguments">Its arguments, without the program's own name. They are written to the guest's log.</param>
internal sealed record GuestExecution(string Path, params string[] Arguments)
{
    /// <summary>The whole environment, each as NAME=value, or null for the agent's own.</summary>
    public IReadOnlyList<string>? Environment { get; init; }

    /// <summary>The bytes of its standard input, or null for none.</summary>
    public byte[]? Input { get; init; }

    /// <summary>Whether the agent keeps what it writes; then it tells the exit once every holder of the pipes is gone.</summary>
    public bool CapturesOutput { get; init; } = true;
}

/// <summary>The reply of guest-exec-status for a process.</summary>
/// <param name="HasExited">Whether it has ended; then the agent has forgotten it with this reply.</param>
/// <param name="ExitCode">Its exit code, or null where a signal ended it.</param>
/// <param name="Signal">The signal that ended it, or null.</param>
/// <param name="Output">The standard output.</param>
/// <param name="Errors">The standard error.</param>
/// <param name="IsTruncated">Whether it wrote more to one of them than the agent keeps.</param>
internal sealed record GuestExecutionStatus(
    bool HasExited, int? ExitCode, int? Signal, byte[] Output, byte[] Errors, bool IsTruncated);

/// <summary>The commands that run programs. Both have a reply that can be had only once.</summary>
internal static class ProcessCommands
{
    // The agent stops reading a stream there (QEMU: GUEST_EXEC_MAX_OUTPUT), and most agents before 10.2 do not say so.
    private const int MaxOutputBytes = 16 << 20;

    /// <summary>The request that starts a program; its reply is for <see cref="ParseProcessId"/>.</summary>
    /// <exception cref="GuestAgentException">ArgumentTextInvalid.</exception>
    public static GuestAgentRequest ExecuteRequest(GuestExecution execution)
    {
        var arguments = new OrderedDictionary { ["path"] = execution.Path, ["arg"] = execution.Arguments };
        if (execution.Environment is { } environment)
        {
            arguments["env"] = environment;
        }

        if (execution.Input is { } input)
        {
            arguments["input-data"] = input;
        }

        // Never a mode: "stdout" and "stderr" break the agent of 10.0, and those before 8.1 know none.
        arguments["capture-output"] = execution.CapturesOutput;
        CheckEnds("path", execution.Path);
        for (var i = 0; i < execution.Arguments.Length; i++)
        {
            CheckEnds($"arg[{i}]", execution.Arguments[i]);
        }

        for (var i = 0; i < execution.Environment?.Count; i++)
        {
            CheckEnds($"env[{i}]", execution.Environment[i]);
        }

        return new GuestAgentRequest("guest-exec", arguments) { KeepsLateReply = true };
    }

    /// <summary>The process id in the reply to guest-exec.</summary>
    /// <exception cref="FormatException">There is none.</exception>
    public static long ParseProcessId(JsonElement reply) => reply.WholeNumber("pid", 0, long.MaxValue) ?? throw new FormatException("it has no pid.");

    /// <summary>The request for the state of a process; its reply is for <see cref="ParseStatus"/>.</summary>
    public static GuestAgentRequest StatusRequest(long processId) =>
        new("guest-exec-status", new OrderedDictionary { ["pid"] = processId })
        {
            KeepsLateReply = true,
        };

    /// <summary>The state in the reply to guest-exec-status.</summary>
    /// <exception cref="FormatException">What should be base64 is not, or a number is out of range.</exception>
    public static GuestExecutionStatus ParseStatus(JsonElement reply)
    {
        var (output, errors) = (Bytes(reply, "out-data"), Bytes(reply, "err-data"));
        var (exitCode, signal) = (Code(reply, "exitcode"), Code(reply, "signal"));

        // No signal is negative: it is an exit code from 0xC0000000 on, of which Windows' agent tells so.
        if (signal < 0)
        {
            (exitCode, signal) = (signal, null);
        }

        return new GuestExecutionStatus(
            reply.Flag("exited") ?? throw new FormatException("it does not say whether the process has exited."),
            exitCode, signal, output, errors,
            reply.Flag("out-truncated") == true || reply.Flag("err-truncated") == true
                || output.Length >= MaxOutputBytes || errors.Length >= MaxOutputBytes);
    }

    /// <summary>Refuses a text with a zero in it: the guest would take the text up to there.</summary>
    internal static void CheckEnds(string argument, string text)
    {
        if (text.Contains('\0'))
        {
            throw ErrorCatalogue.ArgumentTextInvalid.WithTarget(argument, $"'{argument}'", "0000");
        }
    }

    // An empty stream has no member.
    private static byte[] Bytes(JsonElement reply, string member) =>
        reply.TryGetProperty(member, out var data) && data.ValueKind == JsonValueKind.String ? data.GetBytesFromBase64() : [];

    // Windows has codes past the range of an int, which everybody there writes as negative ones.
    private static int? Code(JsonElement reply, string member) =>
        reply.WholeNumber(member, int.MinValue, uint.MaxValue) is { } code ? unchecked((int)code) : null;
}
