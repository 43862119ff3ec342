using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Guests;

/// <summary>What is done with other programs in a Windows guest, whose programs the test plays.</summary>
public sealed class WindowsGuestProcessTests : IAsyncLifetime
{
    private const int ProcessId = 1;

    private readonly List<JsonElement> _executed = [];
    private GuestAgentSession _session = null!;
    private string _output = "";
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
    public async Task The_environment_is_merged_by_names_in_any_case()
    {
        _output = "=C:=C:\\Windows\r\nPath=C:\\Windows\r\nNAME=ü=1\r\n";
        await GuestProcess.StartAsync(
            _session,
            new GuestProcessStart("ipconfig") { Environment = new Dictionary<string, string?> { ["PATH"] = "D:\\", ["NEW"] = "x" } },
            cancellationToken: TestContext.Current.CancellationToken).OrHang();
        Assert.Equal(["cmd.exe /d /u /c set", "ipconfig"], _executed.Select(Line));
        Assert.Equal(["NAME=ü=1", "PATH=D:\\", "NEW=x"], Texts(_executed[1], "env"));
    }

    [Fact]
    public async Task The_folder_is_changed_by_Windows_PowerShell()
    {
        var start = new GuestProcessStart("ipconfig") { Arguments = ["/all"], Input = [1, 2], WorkingDirectory = "C:\\" };
        await GuestProcess.StartAsync(_session, start, cancellationToken: TestContext.Current.CancellationToken).OrHang();
        var execution = Assert.Single(_executed);
        Assert.StartsWith("powershell.exe -NoLogo -NoProfile -NonInteractive -InputFormat None", Line(execution), StringComparison.Ordinal);
        Assert.EndsWith("\u0001\u0002", Encoding.Latin1.GetString(execution.GetProperty("input-data").GetBytesFromBase64()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Live_output_is_refused() =>
        await StreamedProcess.RunAsync(
            _session, new GuestProcessStart("ipconfig"), _ => Task.CompletedTask,
            cancellationToken: TestContext.Current.CancellationToken).FailsWith(ErrorCatalogue.NotInWindowsGuest);

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
            ["out-data"] = Convert.ToBase64String(Encoding.Unicode.GetBytes(_output)),
        };
    }
}
