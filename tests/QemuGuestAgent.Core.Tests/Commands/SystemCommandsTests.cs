using System.Text.Json;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Core.Tests.Commands;

public sealed class GuestSystemTests
{
    [Theory]
    [InlineData(
        """
            {"name": "Debian GNU/Linux", "kernel-release": "6.1.0-18-amd64", "version": "12 (bookworm)",
             "pretty-name": "Debian GNU/Linux 12 (bookworm)", "version-id": "12", "kernel-version": "#1 SMP Debian",
             "machine": "x86_64", "id": "debian"}
            """,
        "Debian GNU/Linux 12 (bookworm)", "6.1.0-18-amd64", "x86_64")]
    [InlineData(
        """
            {"name": "Microsoft Windows", "kernel-release": "20348", "version": "Microsoft Windows Server 2022",
             "variant": "server", "pretty-name": "Windows Server 2022 Standard", "version-id": "2022",
             "variant-id": "server", "kernel-version": "10.0", "machine": "x86_64", "id": "mswindows"}
            """,
        "Windows Server 2022 Standard", "10.0.20348", "x86_64")]
    [InlineData("""{"id": "mswindows", "kernel-release": "7601", "kernel-version": null}""", "mswindows", "7601", null)]
    [InlineData(
        """
            {"kernel-release": "5.4.0", "kernel-version": "#1", "machine": "aarch64", "name": "Alpine Linux"}
            """, "Alpine Linux", "5.4.0", "aarch64")]
    [InlineData("{}", "", null, null)]
    [InlineData("""{"id": 7, "machine": []}""", "", null, null)]
    [InlineData("[]", "", null, null)]
    public async Task Operating_systems(string json, string text, string? kernel, string? machine)
    {
        var system = await Answers.AskAsync(SystemCommands.GetOperatingSystemAsync, "guest-get-osinfo", json);
        Assert.Equal((text, kernel, machine), (system.ToString(), system.Kernel, system.Machine));
    }

    // What agents say, and what the systems are: registry and agent call Windows 11 by the name of 10.
    [Theory]
    [InlineData("7601", "client", "Windows 7 Professional", "Microsoft Windows 77", null, "Windows 7 Professional", "Microsoft Windows 7", "7")]
    [InlineData("22631", "client", "Windows 10 Pro", "Microsoft Windows 10", "10", "Windows 11 Pro", "Microsoft Windows 11", "11")]
    [InlineData("26100", "client", "Windows 10 Enterprise", "Microsoft Windows 11", "11", "Windows 11 Enterprise", "Microsoft Windows 11", "11")]
    [InlineData("19045", "client", "Windows 10 Pro", "Microsoft Windows 10", "10", "Windows 10 Pro", "Microsoft Windows 10", "10")]
    [InlineData("26100", "server", "Windows Server 2025 Standard", "N/A", "N/A", "Windows Server 2025 Standard", null, null)]
    [InlineData("20348", "server", null, "Microsoft Windows Server 2022", "2022", "Microsoft Windows Server 2022", "Microsoft Windows Server 2022", "2022")]
    public async Task Names_of_Windows_are_put_right(
        string build, string variant, string? pretty, string version, string? versionId,
        string name, string? rightVersion, string? rightId)
    {
        var json = JsonSerializer.Serialize(new Dictionary<string, string?>
        {
            ["id"] = "mswindows", ["kernel-release"] = build, ["variant-id"] = variant, ["pretty-name"] = pretty,
            ["version"] = version, ["version-id"] = versionId,
        });
        var system = await Answers.AskAsync(SystemCommands.GetOperatingSystemAsync, "guest-get-osinfo", json);
        Assert.Equal((name, rightVersion, rightId), (system.PrettyName, system.Version, system.VersionId));
    }

    [Theory]
    [InlineData("""{"host-name": "web1.example.com"}""", "web1.example.com")]
    [InlineData("""{"host-name": ""}""", "")]
    [InlineData("{}", null)]
    [InlineData("\"web1\"", null)]
    public async Task Host_names(string json, string? name) =>
        Assert.Equal(name, await Answers.AskAsync(SystemCommands.GetHostNameAsync, "guest-get-host-name", json));

    [Theory]
    [InlineData("""{"load15m": 2.2373046875, "load5m": 2.23388671875, "load1m": 2}""", "2.00, 2.23, 2.24")]
    [InlineData("""{"load1m": 1e400, "load5m": "1", "future": 1}""", "?, ?, ?")]
    public async Task Loads(string json, string text) =>
        Assert.Equal(text, (await Answers.AskAsync(SystemCommands.GetLoadAsync, "guest-get-load", json)).ToString());

    [Theory]
    [InlineData("""{"login-time": 1767225600.25, "user": "root"}""", "root", "2026-01-01T00:00:00.2500000Z")]
    [InlineData(
        """
            {"login-time": 1767225600, "user": "Administrator", "domain": "CORP"}
            """, @"CORP\Administrator", "2026-01-01T00:00:00.0000000Z")]
    [InlineData("""{"login-time": -11644473600, "user": "never"}""", "never", "1601-01-01T00:00:00.0000000Z")]
    [InlineData("""{"login-time": 1e300, "user": "far"}""", "far", null)]
    [InlineData("""{"login-time": -1e300, "user": "past"}""", "past", null)]
    [InlineData("""{"login-time": 253402300800, "user": "y10k"}""", "y10k", null)]
    [InlineData("""{"login-time": "yesterday", "user": "text", "domain": 5}""", "text", null)]

    // As Windows' agent sends a name of its ANSI code page.
    [InlineData("""{"login-time": 0, "user": "J\uFFFDrg", "domain": "B\uFFFDRO"}""", "B\uFFFDRO\\J\uFFFDrg", "1970-01-01T00:00:00.0000000Z")]
    [InlineData("{}", "", null)]
    public async Task Users(string json, string text, string? loginTime)
    {
        var user = Assert.Single(await Answers.AskAsync(SystemCommands.GetUsersAsync, "guest-get-users", $"[{json}]"));
        Assert.Equal((text, loginTime), (user.ToString(), user.LoginTime?.ToString("O")));
    }

    [Theory]
    [InlineData(
        """
            {"id": {"type": "pci", "vendor-id": 6900, "device-id": 4096},
             "driver-name": "Red Hat VirtIO Ethernet Adapter", "driver-date": 1753056000000000000,
             "driver-version": "100.102.104.28500"}
            """, "Red Hat VirtIO Ethernet Adapter [1af4:1000]", "2025-07-21T00:00:00.0000000Z")]
    [InlineData("""{"driver-name": "ACPI", "driver-date": "2006-06-21"}""", "ACPI", null)]
    [InlineData("""{"driver-name": "USB", "id": {"type": "usb", "vendor": 1}}""", "USB", null)]
    [InlineData("""{"driver-name": "old", "driver-date": -9223372036854775808}""", "old", "1677-09-21T00:12:43.1452242Z")]
    [InlineData("{}", "", null)]
    public async Task Devices_of_Windows(string json, string text, string? date)
    {
        var device = Assert.Single(await Answers.AskAsync(DeviceCommands.GetDevicesAsync, "guest-get-devices", $"[{json}]"));
        Assert.Equal((text, date), (device.ToString(), device.DriverDate?.ToString("O")));
    }
}
