using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Operations;

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
    public async Task What_needs_a_POSIX_shell_is_an_error()
    {
        var (start, end) = (new GuestProcessStart("ipconfig"), TestContext.Current.CancellationToken);
        await GuestProcess.StartAsync(_session, start with { WorkingDirectory = "C:\\" }, cancellationToken: end)
            .FailsWith(ErrorCatalogue.NotInWindowsGuest);
        await StreamedProcess.RunAsync(_session, start, _ => Task.CompletedTask, cancellationToken: end)
            .FailsWith(ErrorCatalogue.NotInWindowsGuest);
        Assert.Empty(_executed);
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
            ["out-data"] = Convert.ToBase64String(Encoding.Unicode.GetBytes(_output)),
        };
    }
}
