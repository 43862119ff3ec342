using System.Collections;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Operations;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Tests.Commands;

/// <summary>Whatever an agent sends: nothing throws, all is bounded, and no text can act on a terminal.</summary>
public sealed class ToleranceTests
{
    // SafeText writes a character that is not harmless as six others.
    private const int MaxText = (6 * 8192) + 1;

    private const string Evil = @"\u001b[2J\u009b31m\u0007\n\u202eevil";

    private static readonly Dictionary<string, Func<GuestAgentSession, Task<object?>>> Commands = new()
    {
        ["guest-network-get-interfaces"] = async s => await s.GetNetworkInterfacesAsync(),
        ["guest-network-get-route"] = async s => await s.GetNetworkRoutesAsync(),
        ["guest-get-fsinfo"] = async s => await s.GetFileSystemsAsync(),
        ["guest-get-disks"] = async s => await s.GetDisksAsync(),
        ["guest-get-diskstats"] = async s => await s.GetDiskStatisticsAsync(),
        ["guest-get-vcpus"] = async s => await s.GetProcessorsAsync(),
        ["guest-get-cpustats"] = async s => await s.GetProcessorStatisticsAsync(),
        ["guest-get-memory-blocks"] = async s => await s.GetMemoryBlocksAsync(),
        ["guest-get-memory-block-info"] = async s => await s.GetMemoryBlockSizeAsync(),
        ["guest-get-users"] = async s => await s.GetUsersAsync(),
        ["guest-get-devices"] = async s => await s.GetDevicesAsync(),
        ["guest-get-osinfo"] = async s => await s.GetOperatingSystemAsync(),
        ["guest-get-host-name"] = async s => await s.GetHostNameAsync(),
        ["guest-get-timezone"] = async s => await s.GetTimeZoneAsync(),
        ["guest-get-load"] = async s => await s.GetLoadAsync(),
    };

    // Every member that any of the replies has.
    private static readonly string[] Members =
    [
        "name", "hardware-address", "ip-addresses", "ip-address", "ip-address-type", "prefix", "statistics", "iface",
        "destination", "mask", "gateway", "metric", "flags", "mtu", "version", "desprefixlen", "nexthop", "source",
        "srcprefixlen", "mountpoint", "type", "disk", "total-bytes", "used-bytes", "total-bytes-privileged", "partition",
        "dependencies", "address", "alias", "smart", "bus-type", "bus", "target", "unit", "pci-controller", "ccw-address",
        "serial", "dev", "domain", "slot", "function", "cssid", "ssid", "devno", "stats", "major", "minor", "read-sectors",
        "read-ios", "read-ticks", "logical-id", "online", "can-offline", "cpu", "user", "idle", "phys-index", "size",
        "login-time", "driver-name", "driver-version", "driver-date", "id", "vendor-id", "device-id", "pretty-name",
        "version-id", "variant", "variant-id", "kernel-release", "kernel-version", "machine", "host-name", "zone", "offset",
        "load1m", "rx-bytes", "temperature", "data-units-read-lo", "power-on-hours-lo",
    ];

    private static readonly string[] Odd =
    [
        "null", "true", "7", "-1", "18446744073709551616", "1e999", "\"x\"", "{}", "[]", "[null, 1, \"x\", [], [[]], {}]", "[{}]",
        $"\"{Evil}\"", "\"\\ud800\"", "\"\u00C3\u0028\"", "{\"\\udc00\": 1}",
    ];

    public static TheoryData<string> CommandNames => [.. Commands.Keys];

    [Theory]
    [MemberData(nameof(CommandNames))]
    public async Task Whatever_comes_is_read(string command)
    {
        foreach (var odd in Odd)
        {
            var all = string.Join(", ", Members.Select(member => $"\"{member}\": {odd}"));
            var nested = string.Join(", ", Members.Select(member => $"\"{member}\": [{{{all}}}]"));
            var inner = string.Join(", ", Members.Select(member => $"\"{member}\": {{{all}}}"));
            var badKey = $"{{\"\\ud800\": 1, {all}}}";
            string[] replies = [odd, badKey, $"[{badKey}]", $"{{{all}}}", $"[{{{all}}}]", $"[{{{nested}}}]", $"[{{{inner}}}]"];
            foreach (var json in replies)
            {
                using var session = await Answers.ConnectAsync(command, json);
                AssertHarmless(await Commands[command](session));
            }
        }
    }

    [Fact]
    public async Task A_hundred_thousand_interfaces_with_escape_sequences_are_harmless()
    {
        var nic = $$"""
            {"name": "{{Evil}}", "hardware-address": "{{Evil}}",
             "ip-addresses": [{"ip-address": "{{Evil}}", "ip-address-type": "{{Evil}}"}]}
            """;
        var json = $"[{string.Join(",", Enumerable.Repeat(nic, 100_000))}]";
        var all = await Answers.AskAsync(NetworkCommands.GetNetworkInterfacesAsync, "guest-network-get-interfaces", json);
        Assert.Equal(100_000, all.Count);
        Assert.Equal(@"\u001B[2J\u009B31m\u0007\u000A\u202Eevil", all[99_999].Name);
        AssertHarmless(all);
    }

    [Theory]
    [InlineData("guest-get-host-name", "host-name", "x")]
    [InlineData("guest-get-host-name", "host-name", @"\u0007")]
    [InlineData("guest-get-osinfo", "pretty-name", "\u00FF\u00FE")]
    public async Task A_text_of_ten_million_bytes_is_cut(string command, string member, string part)
    {
        // 0xFF would be taken for a sentinel wherever it comes: here it stands for any byte that is no UTF-8.
        var text = string.Concat(Enumerable.Repeat(part.Replace('\u00FF', '\u00C0'), 10_000_000 / part.Length));
        using var session = await Answers.ConnectAsync(command, $"{{\"{member}\": \"{text}\"}}");
        AssertHarmless(await Commands[command](session));
    }

    [Fact]
    public async Task A_summary_of_what_is_hostile_is_harmless()
    {
        var all = string.Join(", ", Members.Select(member => $"\"{member}\": \"{Evil}\""));
        var answers = Commands.Keys.ToDictionary(command => command, command => $"[{{{all}}}]");
        foreach (var command in new[] { "guest-get-osinfo", "guest-get-host-name", "guest-get-timezone", "guest-get-load" })
        {
            answers[command] = $"{{{all}}}";
        }

        using var session = await Answers.ConnectAsync(answers);
        var summary = await session.GetSummaryAsync("evil", cancellationToken: TestContext.Current.CancellationToken);
        Assert.Contains("evil", summary.HostName);
        AssertHarmless(summary);
    }

    // Looks at the texts of all properties, and of all that they hold.
    private static void AssertHarmless(object? value)
    {
        switch (value)
        {
            case null or ValueType:
                break;
            case string text:
                Assert.InRange(text.Length, 0, MaxText);
                Assert.DoesNotContain(text, c => char.IsControl(c) || c is '\u202E');
                break;
            case IEnumerable items:
                foreach (var item in items)
                {
                    AssertHarmless(item);
                }

                break;
            default:
                AssertHarmless(value.ToString());
                foreach (var property in value.GetType().GetProperties())
                {
                    AssertHarmless(property.GetValue(value));
                }

                break;
        }
    }
}
