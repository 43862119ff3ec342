using System.Text.Json;
using System.Text.Json.Nodes;
using QemuGuestAgent.EmbeddedAgent.Guest;
using QemuGuestAgent.EmbeddedAgent.Wire;

namespace QemuGuestAgent.EmbeddedAgent.Commands;

/// <summary>The commands that run programs.</summary>
internal static class ProcessCommands
{
    private const int MaxOutput = 16 << 20;

    public static JsonNode? Execute(AgentContext agent, CommandArguments arguments)
    {
        var path = arguments.Text("path");
        var programArguments = arguments.OptionalTexts("arg") ?? [];
        var environment = arguments.OptionalTexts("env") ?? BuiltInPrograms.DefaultEnvironment;
        var inputData = arguments.OptionalText("input-data");
        var capture = Capture(arguments.OptionalAny("capture-output"));
        arguments.End();
        var input = new ProgramInput(
            programArguments, environment, LenientBase64.Decode(inputData ?? ""), agent.Machine, agent.Processes);
        try
        {
            var outcome = capture(BuiltInPrograms.Find(path, agent.Machine.Files)(input));
            var id = agent.Machine.NextProcessId();
            agent.Processes[id] = new GuestProcess(outcome, agent.Machine.Now + outcome.Duration);
            return new JsonObject { ["pid"] = id };
        }
        catch (ErrnoException e)
        {
            throw new EmbeddedCommandException($"Failed to execute child process “{path}” ({e.Message})");
        }
    }

    public static JsonNode? Status(AgentContext agent, CommandArguments arguments)
    {
        var id = arguments.Integer("pid");
        arguments.End();

        // The text is qemu-ga's own, format string and all.
        var process = agent.Processes.TryGetValue(id, out var found)
            ? found
            : throw new EmbeddedCommandException("PID ld does not exist");
        if (!process.HasExited(agent.Machine.Now))
        {
            return new JsonObject { ["exited"] = false };
        }

        agent.Processes.Remove(id);
        var reply = new JsonObject();
        if (process.Signal is { } signal)
        {
            reply["signal"] = signal;
        }
        else
        {
            reply["exitcode"] = process.Outcome.ExitCode;
            Add(reply, "err", process.Outcome.Errors);
            Add(reply, "out", process.Outcome.Output);
        }

        reply["exited"] = true;
        return reply;
    }

    private static void Add(JsonObject reply, string stream, byte[] bytes)
    {
        if (bytes.Length > 0)
        {
            reply[stream + "-data"] = Convert.ToBase64String(bytes, 0, Math.Min(bytes.Length, MaxOutput));
            reply[stream + "-truncated"] = bytes.Length > MaxOutput;
        }
    }

    // What is left of a program's output.
    private static Func<ProgramOutcome, ProgramOutcome> Capture(JsonElement? value)
    {
        var mode = value?.ValueKind switch
        {
            null or JsonValueKind.False => "none",
            JsonValueKind.True => "separated",
            JsonValueKind.String => value.Value.GetString(),
            _ => throw CommandArguments.WrongType("capture-output", "GuestExecCaptureOutput"),
        };
        return mode switch
        {
            "none" => outcome => outcome with { Output = [], Errors = [] },
            "stdout" => outcome => outcome with { Errors = [] },
            "stderr" => outcome => outcome with { Output = [] },
            "separated" => outcome => outcome,
            "merged" => outcome => outcome with { Output = [.. outcome.Output, .. outcome.Errors], Errors = [] },
            _ => throw CommandArguments.WrongValue("capture-output", mode),
        };
    }
}
