using System.Text.Json;

namespace QemuGuestAgent.Core.Endpoints.Finding;

/// <summary>What the command line of a QEMU process says about its agent's channel.</summary>
internal sealed class QemuCommandLine
{
    private const string SerialPort = "virtserialport";

    private readonly Dictionary<string, Dictionary<string, string>> _chardevs = [];
    private readonly List<string> _agents = [];

    private QemuCommandLine()
    {
    }

    /// <summary>The name of the virtual machine, if it has one.</summary>
    public string? Name { get; private set; }

    /// <summary>The options of each character device that an agent's port is connected to; its kind is the option "backend".</summary>
    public IEnumerable<IReadOnlyDictionary<string, string>> AgentChardevs => _agents.Where(_chardevs.ContainsKey).Select(id => _chardevs[id]);

    /// <summary>Parses a command line; null if the program is not QEMU.</summary>
    public static QemuCommandLine? Read(IReadOnlyList<string> words)
    {
        // qemu-system-x86_64, qemu-kvm, kvm; not a launcher, whose arguments are followed by those of QEMU.
        var program = words.Count > 0 ? Path.GetFileName(words[0]) : "";
        if (program != "kvm" && !program.StartsWith("qemu", StringComparison.Ordinal))
        {
            return null;
        }

        var line = new QemuCommandLine();
        for (var i = 1; i + 1 < words.Count; i++)
        {
            line.Take(words[i].TrimStart('-'), words[i + 1]);
        }

        return line;
    }

    private void Take(string option, string value)
    {
        switch (option)
        {
            case "name":
                var name = Options(value, "guest");
                Name = name.TryGetValue("guest", out var guest) ? guest : null;
                break;
            case "chardev":
                var chardev = Options(value, "backend");
                if (chardev.TryGetValue("id", out var id))
                {
                    _chardevs[id] = chardev;
                }

                break;
            case "device":
                var device = Options(value, "driver");
                if (device["driver"] == SerialPort && device.TryGetValue("name", out var port) && port == LibvirtChannels.ChannelName
                    && device.TryGetValue("chardev", out var joined))
                {
                    _agents.Add(joined);
                }

                break;
        }
    }

    // "socket,path=/a,,b,server=on", where the first may be unnamed and a comma is doubled; or the same as JSON.
    private static Dictionary<string, string> Options(string text, string firstName)
    {
        var options = new Dictionary<string, string> { [firstName] = "" };
        if (text.Length > 0 && text[0] == '{')
        {
            AddMembers(options, text);
            return options;
        }

        const char comma = '\uFFFF';
        var parts = text.Replace(",,", $"{comma}").Split(',');
        for (var i = 0; i < parts.Length; i++)
        {
            var part = parts[i].Replace(comma, ',');
            var sign = part.IndexOf('=');
            var (name, value) = sign >= 0 ? (part.Substring(0, sign), part.Substring(sign + 1)) : i == 0 ? (firstName, part) : (part, "on");
            options[name] = value;
        }

        return options;
    }

    private static void AddMembers(Dictionary<string, string> options, string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            Add(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Not valid for QEMU either; an unpaired surrogate is only noticed when its text is read.
        }

        // A character device has what the classic form has in one row in objects within objects: backend{type,data{addr{type,data{path}}}}.
        void Add(JsonElement value)
        {
            foreach (var member in value.EnumerateObject())
            {
                if (member.Value.ValueKind != JsonValueKind.Object)
                {
                    options[member.Name] = member.Value.ValueKind == JsonValueKind.True ? "on" : member.Value.ToString();
                    continue;
                }

                if (member.Name == "backend" && member.Value.TryGetProperty("type", out var type))
                {
                    options["backend"] = type.ToString();
                }

                Add(member.Value);
            }
        }
    }
}
