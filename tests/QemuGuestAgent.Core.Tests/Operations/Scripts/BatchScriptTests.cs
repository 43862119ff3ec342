using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Operations.Scripts;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Guests;
using QemuGuestAgent.Core.Tests.Session;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Scripts;

/// <summary>Batch scripts in a Windows guest, whose files and programs the test plays.</summary>
public sealed class BatchScriptTests : IAsyncLifetime
{
    private const long Handle = 1000;

    private readonly Dictionary<string, string> _files = [];
    private readonly List<string> _executed = [];
    private GuestAgentSession _session = null!;
    private string _opened = "";
    private string? _launcher;
    private string? _script;
    private byte[] _input = [];

    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var agent = new EmbeddedGuestAgent(new EmbeddedGuestAgentOptions
        {
            GuestOS = EmbeddedGuestOS.Windows,
            Commands = new Dictionary<string, Func<JsonElement, JsonNode?>>
            {
                ["guest-exec"] = Execute,
                ["guest-exec-status"] = Tell,
                ["guest-file-open"] = Open,
                ["guest-file-write"] = Write,
                ["guest-file-flush"] = _ => new JsonObject(),
                ["guest-file-close"] = _ => new JsonObject(),
            },
        });
        _session = await EmbeddedEndpoint.Register($"batch-{Guid.NewGuid()}", agent).Connect();
    }

    public ValueTask DisposeAsync()
    {
        _session.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Script_and_arguments_go_by_files_that_do_not_stay()
    {
        var result = await RunAsync("echo %~1\ngoto end\r\n:end\n", ["", "a b", "c&d|e^f", "100%", "%PATH%"]);
        Assert.Equal((9, "out"), (result.ExitCode, result.StandardOutput));
        Assert.Equal("echo %~1\r\ngoto end\r\n:end\r\n", _script);
        Assert.Equal(
            "@chcp 65001 >nul\r\n@\"%~dpn0-script.cmd\" \"\" \"a b\" \"c&d|e^f\" \"100%%\" \"%%PATH%%\"\r\n", _launcher);
        Assert.Equal("in"u8, _input);
        Assert.Empty(_files);
        Assert.Matches(@"^cmd\.exe /d /v:off /c D:\\Win\\Temp\\qemu-guest-agent-[0-9a-f]{32}\.cmd$", _executed[1]);
    }

    [Theory]
    [InlineData("a\"b")]
    [InlineData("a\nb")]
    [InlineData("a\0b")]
    public async Task What_a_batch_cannot_take_is_refused_before_anything_is_done(string argument)
    {
        await RunAsync("echo", [argument]).FailsWith(ErrorCatalogue.BatchArgumentInvalid);
        Assert.Empty(_executed);
    }

    [Fact]
    public async Task An_encoding_without_a_code_page_is_refused() =>
        await BatchScript.RunAsync(_session, "echo", [], null, Encoding.Unicode, cancellationToken: TestEnd)
            .FailsWith(ErrorCatalogue.BatchEncodingInvalid);

    [Fact]
    public async Task Giving_up_at_any_moment_leaves_no_file()
    {
        var commands = await GivingUp.AtEveryCommandAsync(
            (call, stop) => BatchScript.RunAsync(_session, "echo", [], null, Encoding.UTF8, call, stop),
            () =>
            {
                Assert.Empty(_files);
                return Task.CompletedTask;
            });
        Assert.True(commands >= 10, $"It took {commands} commands only.");
        Assert.Empty(_files);
    }

    private Task<GuestProcessResult> RunAsync(string script, string[] arguments) =>
        BatchScript.RunAsync(_session, script, arguments, [.. "in"u8], new UTF8Encoding(false), cancellationToken: TestEnd).OrHang();

    private JsonValue Open(JsonElement arguments)
    {
        _opened = arguments.GetProperty("path").GetString()!;
        _files[_opened] = "";
        return JsonValue.Create(Handle);
    }

    private JsonObject Write(JsonElement arguments)
    {
        var bytes = arguments.GetProperty("buf-b64").GetBytesFromBase64();
        _files[_opened] += Encoding.UTF8.GetString(bytes);
        return new JsonObject { ["count"] = bytes.Length, ["eof"] = false };
    }

    private JsonObject Execute(JsonElement execution)
    {
        var arguments = execution.GetProperty("arg").EnumerateArray().Select(text => text.GetString()!).ToList();
        _executed.Add(string.Join(" ", arguments.Prepend(execution.GetProperty("path").GetString()!)));
        if (arguments.Contains("del"))
        {
            arguments.ForEach(path => _files.Remove(path));
        }
        else if (arguments.Contains("/v:off"))
        {
            _launcher = _files[arguments[^1]];
            _script = _files[arguments[^1].Replace(".cmd", "-script.cmd", StringComparison.Ordinal)];
            _input = execution.TryGetProperty("input-data", out var input) ? input.GetBytesFromBase64() : [];
        }

        return new JsonObject { ["pid"] = _executed.Count };
    }

    private JsonObject Tell(JsonElement arguments)
    {
        var line = _executed[arguments.GetProperty("pid").GetInt32() - 1];
        var isScript = line.Contains("/v:off", StringComparison.Ordinal);
        var output = isScript ? "out"u8.ToArray() : Encoding.Unicode.GetBytes("D:\\Win\r\n");
        return new JsonObject { ["exited"] = true, ["exitcode"] = isScript ? 9 : 0, ["out-data"] = Convert.ToBase64String(output) };
    }
}
