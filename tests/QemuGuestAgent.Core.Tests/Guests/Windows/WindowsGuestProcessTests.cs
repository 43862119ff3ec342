using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Guests.Windows;

/// <summary>What is done with other programs in a Windows guest, whose programs the test plays.</summary>
public sealed class WindowsGuestProcessTests : IAsyncLifetime
{
    private const int ProcessId = 1;

    private readonly List<JsonElement> _executed = [];
    private GuestAgentSession _session = null!;
    private string _told = "";
    private byte[] _output = [];
    private bool _isKilled;

    public async ValueTask InitializeAsync()
    {
        var agent = new EmbeddedGuestAgent(new EmbeddedGuestAgentOptions
        {
            GuestOS = EmbeddedGuestOS.Windows,
            Commands = new Dictionary<string, Func<JsonElement, JsonNode?>>
            {
                ["guest-exec"] = Execute,
                ["guest-exec-status"] = Tell,
            },
        });
        _session = await EmbeddedEndpoint.Register($"windows-{Guid.NewGuid()}", agent).Connect();
    }

    public ValueTask DisposeAsync()
    {
        _session.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_process_is_killed_with_its_tree()
    {
        var process = new GuestProcess(_session, ProcessId);
        await process.StopAsync(cancellationToken: TestContext.Current.CancellationToken).OrHang();
        Assert.Equal(["taskkill.exe /PID 1 /T /F"], _executed.Select(Line));
        Assert.Equal(1, process.Result!.ExitCode);
    }

    [Fact]
    public async Task Folder_and_variables_are_set_by_Windows_PowerShell()
    {
        var start = new GuestProcessStart("ipconfig")
        {
            Arguments = ["/all"],
            Input = [1, 2],
            WorkingDirectory = "C:\\",
            Environment = new Dictionary<string, string?> { ["NEW"] = "x=y", ["OLD"] = null },
        };
        await GuestProcess.StartAsync(_session, start, cancellationToken: TestContext.Current.CancellationToken).OrHang();
        var execution = _executed[^1];
        Assert.StartsWith("powershell.exe -NoLogo -NoProfile -NonInteractive -InputFormat None", Line(execution), StringComparison.Ordinal);
        Assert.False(execution.TryGetProperty("env", out _));
        var input = Encoding.Latin1.GetString(execution.GetProperty("input-data").GetBytesFromBase64()).Split('\n');
        var texts = Encoding.UTF8.GetString(Convert.FromBase64String(input[0])).Split('\0');
        Assert.Equal(["ipconfig", "\"/all\"", "C:\\", "change", "NEW=x=y", "OLD"], texts.Skip(1));
        Assert.Equal("\u0001\u0002", input[1]);
    }

    [Fact]
    public async Task What_the_agent_starts_as_it_is_meant_needs_no_PowerShell()
    {
        await GuestProcess.StartAsync(
            _session, new GuestProcessStart("cmd.exe") { Arguments = ["/c", "echo a b"], Encoding = Encoding.UTF8 },
            cancellationToken: TestContext.Current.CancellationToken).OrHang();
        Assert.Equal(["cmd.exe /c echo a b"], _executed.Select(Line));
    }

    [Theory]
    [InlineData("OEMCP    REG_SZ    850", "é")]
    [InlineData("OEMCP    REG_SZ    65001", "\uFFFD")]
    [InlineData("ERROR", "\uFFFD")]
    public async Task Output_is_text_of_the_guests_own_code_page(string told, string expected)
    {
        _told = $"\r\nHKEY_LOCAL_MACHINE\\SYSTEM\r\n    {told}\r\n";
        _output = [0x82];
        var result = await GuestProcess.RunAsync(
            _session, new GuestProcessStart("ipconfig"), cancellationToken: TestContext.Current.CancellationToken).OrHang();
        Assert.Equal(expected, result.StandardOutput);
        await GuestProcess.RunAsync(
            _session, new GuestProcessStart("ipconfig"), cancellationToken: TestContext.Current.CancellationToken).OrHang();
        Assert.Equal(["reg.exe", "ipconfig", "ipconfig"], _executed.Select(execution => Line(execution).Split(' ')[0]));
    }

    [Fact]
    public async Task Live_output_needs_a_PowerShell_there()
    {
        var error = await StreamedProcess.RunAsync(
            _session, new GuestProcessStart("ipconfig") { Encoding = Encoding.UTF8 }, _ => Task.CompletedTask,
            cancellationToken: TestContext.Current.CancellationToken).FailsWith(ErrorCatalogue.GuestPowerShellUnusable);
        Assert.Contains("exit code 0", error.Message, StringComparison.Ordinal);
    }

    private static string Line(JsonElement execution) =>
        string.Join(" ", Texts(execution, "arg").Prepend(execution.GetProperty("path").GetString()));

    private static IEnumerable<string?> Texts(JsonElement execution, string member) =>
        execution.GetProperty(member).EnumerateArray().Select(text => text.GetString());

    private JsonObject Execute(JsonElement arguments)
    {
        _executed.Add(arguments.Clone());
        _isKilled |= Line(arguments).StartsWith("taskkill", StringComparison.Ordinal);
        return new JsonObject { ["pid"] = ProcessId + _executed.Count };
    }

    private JsonObject Tell(JsonElement arguments)
    {
        if (arguments.GetProperty("pid").GetInt64() == ProcessId)
        {
            return new JsonObject { ["exited"] = _isKilled, ["exitcode"] = 1 };
        }

        return new JsonObject
        {
            ["exited"] = true,
            ["exitcode"] = 0,
            ["out-data"] = Convert.ToBase64String(
                Line(_executed[(int)arguments.GetProperty("pid").GetInt64() - ProcessId - 1]).StartsWith("reg.exe", StringComparison.Ordinal)
                    ? Encoding.ASCII.GetBytes(_told) : _output),
        };
    }
}
