using System.Globalization;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;
using QemuGuestAgent.Core.Tests.Session;

namespace QemuGuestAgent.Core.Tests.Endpoints;

/// <summary>A program's input and output as a channel, and what becomes of the program.</summary>
public sealed class ExecEndpointTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("qga");

    public ExecEndpointTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "The programs are those of Unix.");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Every_byte_passes_as_it_is()
    {
        using var stream = await new ExecEndpoint("cat").OpenAsync();
        var all = Enumerable.Range(0, 256).Select(value => (byte)value).ToArray();
        await stream.WriteAsync(all, CancellationToken.None);
        var received = new byte[all.Length];
        await stream.ReadExactlyAsync(received, CancellationToken.None).AsTask().OrHang();
        Assert.Equal(all, received);
    }

    [Fact]
    public async Task Arguments_reach_the_program_as_they_are()
    {
        string[] arguments = ["a b", "", "it's", "\"", "$HOME", "*", "back\\slash", "-n", "ü"];
        using var stream = await new ExecEndpoint("printf", ["%s|", .. arguments]).OpenAsync();
        using var reader = new StreamReader(stream);
        var expected = string.Concat(arguments.Select(argument => argument + "|"));
        var text = new char[expected.Length];
        Assert.Equal(text.Length, await reader.ReadBlockAsync(text, CancellationToken.None).AsTask().OrHang());
        Assert.Equal(expected, new string(text));
    }

    [Theory]
    [InlineData("no-such-program")]
    [InlineData("/no/such/program")]
    public async Task A_program_that_is_not_there_is_not_started(string program)
    {
        var error = await new ExecEndpoint(program, "argument").OpenAsync().FailsWith(ErrorCatalogue.EndpointProgramNotStarted);
        Assert.Contains($"'{program}'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_that_ends_is_lost_and_its_error_output_tells_why()
    {
        var error = await new ExecEndpoint("sh", "-c", "echo 'Host key \u001b[1mverification failed.' >&2; exit 255").Connect()
            .FailsWith(ErrorCatalogue.ConnectionLost);
        Assert.Contains("'sh' ended with exit code 255: Host key \\u001B[1mverification failed.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_that_cannot_be_run_is_lost_and_the_system_tells_why()
    {
        var file = Path.Combine(_folder.FullName, "not-executable");
        await File.WriteAllTextAsync(file, "", CancellationToken.None);
        var error = await new ExecEndpoint(file).Connect().FailsWith(ErrorCatalogue.ConnectionLost);
        Assert.Contains("exit code 126", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_that_takes_no_request_is_lost_and_its_end_tells_why()
    {
        // What is written fails at once; what is read does not end.
        var endpoint = new OpenedEndpoint(await new ExecEndpoint("sh", "-c", "exec 0<&-; sleep 1000 2>/dev/null & echo; exit 7").OpenAsync());
        await ReadLineAsync(endpoint.Stream);
        var error = await endpoint.Connect().FailsWith(ErrorCatalogue.ConnectionLost);
        Assert.Contains("'sh' ended with exit code 7", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_that_says_something_else_is_no_agent() =>
        await new ExecEndpoint("sh", "-c", "echo Welcome").Connect().FailsWith(ErrorCatalogue.NotAnAgent);

    [Fact]
    public async Task The_program_ends_with_the_stream()
    {
        var stream = (ProcessStream)await new ExecEndpoint("sh", "-c", "echo $$; exec cat").OpenAsync();
        var id = await ReadLineAsync(stream);
        Assert.True(Directory.Exists($"/proc/{id}"));
        stream.Dispose();
        await stream.CloseAsync().OrHang();
        await Poll.UntilAsync(() => !Directory.Exists($"/proc/{id}"), "the end of the program");
    }

    [Fact]
    public async Task A_program_that_does_not_end_by_itself_is_ended()
    {
        var stream = (ProcessStream)await new ExecEndpoint("sh", "-c", "echo $$; exec sleep 1000").OpenAsync();
        var id = await ReadLineAsync(stream);
        var reading = stream.ReadAsync(new byte[10], CancellationToken.None).AsTask();
        stream.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => reading.OrHang());
        await stream.CloseAsync().OrHang();
        await Poll.UntilAsync(() => !Directory.Exists($"/proc/{id}"), "the end of the program");
    }

    [Fact]
    public async Task A_program_is_deaf_to_the_terminal_s_interrupt()
    {
        using var stream = await new ExecEndpoint("sh", "-c", "kill -INT $$; echo alive; exec cat").OpenAsync();
        Assert.Equal("alive", await ReadLineAsync(stream));
    }

    [Theory]
    [InlineData("exec cat", true)]
    [InlineData("exec cat", false)]
    [InlineData("sleep 1000; :", true)]
    public async Task What_a_program_leaves_behind_ends_with_the_stream(string end, bool endsByClosing)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "It is found on Linux.");
        var stream = (ProcessStream)await new ExecEndpoint("sh", "-c", $"sleep 1000 & (sleep 1000 & echo $$ $!); {end}").OpenAsync();
        var ids = await ReadIdsAsync(stream);
        if (!endsByClosing)
        {
            AgentProcess.Send(ids[0], Signal.Kill);
        }

        await stream.CloseAsync().OrHang();
        await Poll.UntilAsync(() => !ids.Any(ExecHost.IsRunning), "the end of the program's children");
    }

    [Fact]
    public async Task A_daemon_that_a_program_started_stays()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "It is told on Linux.");
        var setsid = InstalledProgram.OrSkip("setsid");
        var stream = (ProcessStream)await new ExecEndpoint("sh", "-c", $"{setsid} sh -c 'echo $$; exec sleep 1000 >&2' & exec cat").OpenAsync();
        var id = int.Parse(await ReadLineAsync(stream), CultureInfo.InvariantCulture);
        await stream.CloseAsync().OrHang();
        Assert.True(ExecHost.IsRunning(id));
        AgentProcess.Send(id, Signal.Kill);
    }

    [Theory]
    [InlineData(nameof(HostEnd.Exit))]
    [InlineData(nameof(HostEnd.CloseAndExit))]
    [InlineData(nameof(HostEnd.Terminate))]
    public async Task A_program_ends_with_its_host(string end)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Processes are looked at in /proc.");
        var ids = await ExecHost.RunToEndAsync(Enum.Parse<HostEnd>(end), "sleep 1000 & echo $$ $!; exec sleep 1000");
        await Poll.UntilAsync(() => !ids.Any(ExecHost.IsRunning), "the end of the program");
    }

    [Fact]
    public async Task The_input_of_a_program_ends_with_a_host_that_is_killed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Processes are looked at in /proc.");
        var ids = await ExecHost.RunToEndAsync(HostEnd.Kill, "echo $$; exec cat");
        await Poll.UntilAsync(() => !ids.Any(ExecHost.IsRunning), "the end of the program");
    }

    private static async Task<int[]> ReadIdsAsync(Stream stream) =>
        [.. (await ReadLineAsync(stream)).Split(' ').Select(id => int.Parse(id, CultureInfo.InvariantCulture))];

    private static async Task<string> ReadLineAsync(Stream stream)
    {
        var line = "";
        var buffer = new byte[1];
        while (await stream.ReadAsync(buffer, CancellationToken.None).AsTask().OrHang() == 1 && buffer[0] != '\n')
        {
            line += (char)buffer[0];
        }

        return line;
    }

    private sealed class OpenedEndpoint(Stream stream) : GuestAgentEndpoint
    {
        public Stream Stream => stream;

        public override Task<Stream> OpenAsync(CancellationToken cancellationToken) => Task.FromResult(stream);

        public override string ToString() => "opened:";
    }
}
