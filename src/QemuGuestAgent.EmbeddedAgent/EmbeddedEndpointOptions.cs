using System.Globalization;

namespace QemuGuestAgent.EmbeddedAgent;

/// <summary>The options that an <see cref="EmbeddedEndpoint"/> may be written with. All times are in milliseconds.</summary>
internal static class EmbeddedEndpointOptions
{
    private delegate EmbeddedGuestAgentOptions Setter(EmbeddedGuestAgentOptions options, string value);

    private static readonly Dictionary<string, Setter> Setters = new()
    {
        ["version"] = (o, v) => o with { Version = v },
        ["host-name"] = (o, v) => o with { HostName = v },
        ["os"] = (o, v) => o with { GuestOS = System(v) },
        ["ids"] = (o, v) => o with { EchoesRequestIds = Switch(v) },
        ["delimited-sync"] = (o, v) => o with { KnowsDelimitedSync = Switch(v) },
        ["blocked"] = (o, v) => o with { BlockedCommands = v.Split(',') },
        ["delay"] = (o, v) => o with { ReplyDelay = Milliseconds(v) },
        ["slow"] = (o, v) => o with { CommandDelays = Pairs(v, "milliseconds").ToDictionary(s => s.Command, s => TimeSpan.FromMilliseconds(s.Number)) },
        ["boot-delay"] = (o, v) => o with { BootDelay = Milliseconds(v) },
        ["silent"] = (o, v) => o with { Faults = o.Faults with { SilentCommands = v.Split(',') } },
        ["lost"] = (o, v) => o with { Faults = o.Faults with { LostReplies = Pairs(v, "number").ToDictionary(s => s.Command, s => s.Number) } },
        ["endless"] = (o, v) => o with { Faults = o.Faults with { EndlessLine = v } },
        ["chunk"] = (o, v) => o with { Faults = o.Faults with { ChunkSize = Number(v) } },
        ["dies-mid-reply"] = (o, v) => o with { Faults = o.Faults with { DiesMidReply = Number(v) } },
        ["sentinel-inside-reply"] = (o, v) => o with { Faults = o.Faults with { SentinelInsideReply = Number(v) } },
        ["echo"] = (o, v) => o with { Faults = o.Faults with { EchoesInput = Switch(v) } },
    };

    /// <summary>Reads <c>key=value&amp;key=value</c>.</summary>
    /// <exception cref="FormatException">A key is not known, or a value not usable.</exception>
    public static EmbeddedGuestAgentOptions Parse(string query)
    {
        var options = new EmbeddedGuestAgentOptions();
        foreach (var pair in query.Split('&').Where(pair => pair.Length > 0))
        {
            var mark = pair.IndexOf('=');
            var key = mark < 0 ? pair : pair.Substring(0, mark);
            if (!Setters.TryGetValue(key, out var set))
            {
                throw new FormatException($"its option '{key}' is not known (known: {string.Join(", ", Setters.Keys)})");
            }

            if (mark < 0 || mark == pair.Length - 1)
            {
                throw new FormatException($"its option '{key}' has no value");
            }

            try
            {
                options = set(options, Uri.UnescapeDataString(pair.Substring(mark + 1)));
            }
            catch (FormatException reason)
            {
                throw new FormatException($"its option '{key}' {reason.Message}", reason);
            }
        }

        return options;
    }

    private static bool Switch(string value) => value switch
    {
        "true" => true,
        "false" => false,
        _ => throw new FormatException($"is '{value}', and must be true or false"),
    };

    private static int Number(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new FormatException($"is '{value}', and must be a whole number");

    private static TimeSpan Milliseconds(string value) => TimeSpan.FromMilliseconds(Number(value));

    private static IEnumerable<(string Command, int Number)> Pairs(string list, string what) => list.Split(',').Select(value =>
    {
        var colon = value.IndexOf(':');
        return colon > 0
            ? (value.Substring(0, colon), Number(value.Substring(colon + 1)))
            : throw new FormatException($"is '{value}', and must be command:{what}");
    });

    private static EmbeddedGuestOS System(string value) => value switch
    {
        "linux" => EmbeddedGuestOS.Linux,
        "windows" => EmbeddedGuestOS.Windows,
        _ => throw new FormatException($"is '{value}', and must be linux or windows"),
    };
}
