using System.Collections.Specialized;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Soak;

/// <summary>A command whose right answer follows from its number, and of which the guest shows afterwards how often it was carried out.</summary>
internal abstract class Deed
{
    public abstract string Command { get; }

    /// <summary>Makes ready for it in a guest that is well.</summary>
    public virtual Task PrepareAsync(GuestAgentSession session) => Task.CompletedTask;

    public abstract GuestAgentRequest Request(long number);

    public abstract bool IsRight(long number, JsonElement reply);

    /// <summary>The numbers carried out, as often as they were.</summary>
    public abstract Task<List<long>> DoneAsync(GuestAgentSession session);

    /// <summary>A request with these arguments, whose reply is wanted late too.</summary>
    public static GuestAgentRequest Make(string command, params (string Name, object Value)[] arguments)
    {
        var dictionary = new OrderedDictionary();
        foreach (var (name, value) in arguments)
        {
            dictionary[name] = value;
        }

        return new GuestAgentRequest(command, ArgumentWriter.Prepare(command, dictionary)) { KeepsLateReply = true };
    }
}

/// <summary>A command of the soak's own, which the guest only counts.</summary>
internal sealed class Work : Deed
{
    public const string Name = "soak-work";

    private readonly List<long> _done = [];

    /// <summary>Whether the guest refuses it.</summary>
    public bool IsRefused { get; set; }

    public override string Command => Name;

    /// <summary>How many were carried out since the last <see cref="Take"/>.</summary>
    public int Count
    {
        get
        {
            lock (_done)
            {
                return _done.Count;
            }
        }
    }

    /// <summary>The numbers carried out since it was asked last.</summary>
    public List<long> Take()
    {
        lock (_done)
        {
            List<long> done = [.. _done];
            _done.Clear();
            return done;
        }
    }

    /// <summary>The guest's part.</summary>
    public JsonNode? Execute(JsonElement arguments)
    {
        var number = arguments.GetProperty("n").GetInt64();
        if (IsRefused)
        {
            throw new EmbeddedAgent.EmbeddedCommandException($"not {number}");
        }

        lock (_done)
        {
            _done.Add(number);
        }

        return new JsonObject { ["n"] = number, ["check"] = Check(number) };
    }

    public override GuestAgentRequest Request(long number) => Make(Name, ("n", number));

    public override bool IsRight(long number, JsonElement reply) =>
        reply.GetProperty("n").GetInt64() == number && reply.GetProperty("check").GetInt64() == Check(number);

    public override Task<List<long>> DoneAsync(GuestAgentSession session) => Task.FromResult(Take());

    private static long Check(long number) => number * 2_654_435_761 % 4_294_967_291;
}

/// <summary>A line behind a file of the guest.</summary>
internal sealed class Writing : Deed
{
    private const string Path = "/tmp/deeds";

    private long _handle;

    public override string Command => "guest-file-write";

    public override async Task PrepareAsync(GuestAgentSession session) =>
        _handle = (await session.InvokeAsync(Make("guest-file-open", ("path", Path), ("mode", "a")))).GetInt64();

    public override GuestAgentRequest Request(long number) => Make(Command, ("handle", _handle), ("buf-b64", Line(number)));

    public override bool IsRight(long number, JsonElement reply) => reply.GetProperty("count").GetInt64() == Line(number).Length;

    public override async Task<List<long>> DoneAsync(GuestAgentSession session)
    {
        var handle = (await session.InvokeAsync(Make("guest-file-open", ("path", Path)))).GetInt64();
        var content = await session.InvokeAsync(Make("guest-file-read", ("handle", handle), ("count", 1 << 20)));
        return [.. Encoding.ASCII.GetString(content.GetProperty("buf-b64").GetBytesFromBase64())
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => long.Parse(line, CultureInfo.InvariantCulture))];
    }

    private static byte[] Line(long number) => Encoding.ASCII.GetBytes($"{number}\n");
}

/// <summary>A program that is started.</summary>
internal sealed class Starting : Deed
{
    private const long FirstId = 1001;

    private readonly HashSet<long> _ids = [];

    public override string Command => "guest-exec";

    public override GuestAgentRequest Request(long number) =>
        Make(Command, ("path", "echo"), ("arg", new[] { $"{number}" }), ("capture-output", true));

    // Another one's id would not be new.
    public override bool IsRight(long number, JsonElement reply) => _ids.Add(reply.GetProperty("pid").GetInt64());

    public override async Task<List<long>> DoneAsync(GuestAgentSession session)
    {
        var done = new List<long>();
        try
        {
            for (var id = FirstId; ; id++)
            {
                var status = await session.InvokeAsync(Make("guest-exec-status", ("pid", id)));
                done.Add(long.Parse(Encoding.ASCII.GetString(status.GetProperty("out-data").GetBytesFromBase64()), CultureInfo.InvariantCulture));
            }
        }
        catch (GuestAgentException e) when (e.ErrorId == "AgentError")
        {
            return done;
        }
    }
}
