using System.Text;
using System.Text.Json;
using QemuGuestAgent.EmbeddedAgent;
using QemuGuestAgent.EmbeddedAgent.Guest;
using QemuGuestAgent.EmbeddedAgent.Wire;
using static QemuGuestAgent.Fuzz.FuzzTargets;

namespace QemuGuestAgent.Fuzz;

/// <summary>
/// Bytes of a client into the embedded agent: every message is answered by one line of JSON in ASCII or by silence, and the messages
/// are the same wherever the input is cut.
/// </summary>
internal static class AgentTarget
{
    /// <summary>Runs it.</summary>
    /// <param name="input">How many bytes come at once, less one; what a client sends.</param>
    public static void Run(byte[] input)
    {
        if (input.Length == 0)
        {
            return;
        }

        var bytes = input.AsMemory(1);
        var whole = Split(bytes, int.MaxValue);
        Check(whole.SequenceEqual(Split(bytes, 1 + input[0])), "The messages depend on how the input is cut.");

        var agent = new AgentContext(new GuestMachine(new EmbeddedGuestAgentOptions()));
        foreach (var (json, error) in whole)
        {
            var request = Request.Read(new ParsedMessage(json is null ? null : Encoding.Latin1.GetBytes(json), error), takesIds: true);
            var reply = request.Command is null
                ? ReplyWriter.Failure(EmbeddedCommandException.GenericError, request.Error!, request.Id)
                : agent.Execute(request);
            if (reply is not null)
            {
                var line = reply.AsMemory(reply[0] == 0xFF ? 1 : 0);
                Check(line.Span.IndexOf((byte)'\n') == line.Length - 1 && Ascii.IsValid(line.Span), "A reply is no line of ASCII.");
                if (request.Id is null or { ValueKind: JsonValueKind.String })
                {
                    // An id may hold a number past a double's range, which QEMU's agent gives back as inf: that is no JSON.
                    using var _ = JsonDocument.Parse(line);
                }
            }
        }
    }

    private static List<(string? Json, string? Error)> Split(ReadOnlyMemory<byte> bytes, int size)
    {
        var splitter = new MessageSplitter();
        var messages = new List<(string?, string?)>();
        while (!bytes.IsEmpty)
        {
            var piece = bytes[..Math.Min(size, bytes.Length)];
            bytes = bytes[piece.Length..];
            splitter.Append(piece);
            while (splitter.TryRead(out var message))
            {
                messages.Add((message.Json is null ? null : Encoding.Latin1.GetString(message.Json), message.Error));
            }
        }

        return messages;
    }
}
