using System.Security.Cryptography;
using System.Text;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Guests.Windows;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.WindowsGuest;

/// <summary>Programs in a Windows guest: as they were given, and their output while they run.</summary>
public sealed class WindowsProcessTests(WindowsGuestFixture fixture) : WindowsGuestTest(fixture)
{
    // The stand-in for Windows PowerShell.
    private const string Helper = "powershell";

    [Fact]
    public async Task Lines_of_both_streams_come_as_they_are_written()
    {
        var second = new TaskCompletionSource();
        var start = PowerShell("'one'; [Console]::Error.WriteLine('two'); $null = [Console]::In.ReadLine(); 'three'; exit 7");
        var process = await InteractiveProcess.StartAsync(Session, start.FilePath, start.Arguments, cancellationToken: TestEnd);
        var text = new StringBuilder();
        var running = process.RunAsync(bytes =>
        {
            lock (text)
            {
                text.Append(Encoding.ASCII.GetString(bytes));
                if (text.ToString().Contains("one", StringComparison.Ordinal))
                {
                    second.TrySetResult();
                }
            }
        });
        await second.Task.OrHang();
        process.Send("go\r\n"u8.ToArray());
        var error = await running.FailsWith(ErrorCatalogue.InteractiveProcessEnded);
        Assert.Equal("one\r\nthree\r\n", text.ToString());
        Assert.Contains("exit code 7", error.Message, StringComparison.Ordinal);
        Assert.Contains("two", error.Message, StringComparison.Ordinal);
        await process.CloseAsync().OrHang();
    }

    [Fact]
    public async Task Output_input_and_exit_code_are_whole()
    {
        var input = new byte[1 << 20];
        new Random(1).NextBytes(input);
        var start = PowerShell(
            "$in = [Console]::OpenStandardInput(); $out = [Console]::OpenStandardOutput(); $in.CopyTo($out); $in.CopyTo($out); exit -1073741819") with
        {
            Input = input,
            Encoding = Encoding.Latin1,
        };
        var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var platform = await GuestPlatform.FindAsync(Session, new OperationTime(TimeProvider.System, null), TestEnd);
        var result = await platform.FollowAsync(
            Session, start, HostWatch.Usual,
            (stream, bytes) =>
            {
                Assert.Equal(GuestOutputKind.Output, stream);
                hash.AppendData(bytes);
                return Task.CompletedTask;
            },
            false, new OperationTime(TimeProvider.System, new CallOptions { Timeout = TimeSpan.FromMinutes(2) }), TestEnd);
        Assert.Equal(-1073741819, result.ExitCode);
        Assert.Equal(SHA256.HashData(input), hash.GetHashAndReset());
    }

    [Fact]
    public async Task Arguments_arrive_as_they_were_given()
    {
        string[] arguments = ["", "a b", "\"", "\\", "c\\", "%PATH%", "&|<>^", "ü€😀", ""];
        await File.WriteAllTextAsync(
            Guest.HostPath($@"{Folder}\show.ps1"),
            "[Console]::OutputEncoding = New-Object Text.UTF8Encoding $false; $args | ForEach-Object { \"<$_>\" }", TestEnd);
        var result = await RunAsync(new GuestProcessStart("pwsh.exe")
        {
            Arguments = ["-NoProfile", "-File", $@"{Folder}\show.ps1", .. arguments],
            Encoding = Encoding.UTF8,
        });
        Assert.Equal(string.Concat(arguments.Select(argument => $"<{argument}>\r\n")), result.StandardOutput);
    }

    [Fact]
    public async Task A_line_for_cmd_is_read_as_cmd_reads_it()
    {
        var result = await RunAsync(new GuestProcessStart("cmd.exe") { Arguments = ["/d", "/c", "echo \"a  b\"&cd"], WorkingDirectory = Folder });
        Assert.Equal((0, $"\"a  b\"\r\n{Folder}\r\n"), (result.ExitCode, result.StandardOutput));
    }

    [Fact]
    public async Task Variables_are_set_and_removed_and_replaced()
    {
        var changes = new Dictionary<string, string?> { ["ADDED"] = "a=b", ["windir"] = null };
        var changed = await RunAsync(new GuestProcessStart("cmd.exe") { Arguments = ["/d", "/c", "echo %ADDED% %windir% %SystemRoot%"], Environment = changes });
        Assert.Equal("a=b %windir% C:\\windows\r\n", changed.StandardOutput);
        var replaced = await RunAsync(new GuestProcessStart(@"C:\windows\system32\cmd.exe")
        {
            Arguments = ["/d", "/c", "echo %ADDED% %PROCESSOR_LEVEL%"],
            Environment = changes,
            ReplacesEnvironment = true,
        });
        Assert.Equal("a=b %PROCESSOR_LEVEL%\r\n", replaced.StandardOutput);
    }

    [Fact]
    public async Task What_cannot_be_started_is_told_with_its_reason()
    {
        var missing = await RunAsync(new GuestProcessStart("missing.exe") { WorkingDirectory = Folder }).FailsWith(ErrorCatalogue.ProcessNotStarted);
        Assert.Contains("missing.exe", missing.Message, StringComparison.Ordinal);
        var folder = $@"{Folder}\missing";
        await RunAsync(new GuestProcessStart("cmd.exe") { WorkingDirectory = folder }).FailsWith(ErrorCatalogue.ProcessNotStarted);
    }

    [Fact]
    public async Task What_is_left_in_the_background_is_not_waited_for()
    {
        var lines = await StreamAsync(new GuestProcessStart("cmd.exe") { Arguments = ["/d", "/c", "start /b ping -n 10000 127.0.0.1&echo done"] });
        Assert.Contains("done", lines, StringComparer.Ordinal);
        await Guest.OneRunsAsync("ping");
        await Guest.KillAsync("ping");
    }

    [Fact]
    public async Task One_PowerShell_serves_many_programs()
    {
        // Those of tests before end soon after their sessions.
        await NothingLeftAsync();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(["x"], await StreamAsync(new GuestProcessStart("cmd.exe") { Arguments = ["/d", "/c", "echo x"] }));
        }

        await Guest.OneRunsAsync(Helper);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => StreamAsync(new GuestProcessStart("cmd.exe") { Arguments = ["/d", "/c", $"echo {i}"] })));
        await Guest.OneRunsAsync(Helper);
        Session.Dispose();
        await NothingLeftAsync();
    }

    [Fact]
    public async Task A_program_that_takes_too_long_is_killed_or_goes_on()
    {
        var call = new CallOptions { Timeout = TimeSpan.FromSeconds(10) };
        var killed = await StreamedProcess.RunAsync(Session, Endless(), TakeAsync, call: call, cancellationToken: TestEnd)
            .FailsWith(ErrorCatalogue.ProcessTimedOut);
        Assert.Contains("it was killed", killed.Message, StringComparison.Ordinal);
        await Poll.UntilAsync(() => Guest.CountProcesses("ping") == 0, "the end of the program");

        var kept = await StreamedProcess.RunAsync(Session, Endless(), TakeAsync, keepsOnTimeOut: true, call: call, cancellationToken: TestEnd)
            .FailsWith(ErrorCatalogue.ProcessTimedOut);
        Assert.Contains("still running", kept.Message, StringComparison.Ordinal);
        await Guest.OneRunsAsync("ping");
        await Guest.KillAsync("ping");
    }

    [Fact]
    public async Task A_program_of_a_cancelled_caller_is_killed()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(TestEnd);
        var running = StreamedProcess.RunAsync(Session, Endless(), TakeAsync, cancellationToken: cancel.Token);
        await Guest.OneRunsAsync("ping");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running).OrHang();
        await Poll.UntilAsync(() => Guest.CountProcesses("ping") == 0, "the end of the program");
        Assert.Equal(["x"], await StreamAsync(new GuestProcessStart("cmd.exe") { Arguments = ["/d", "/c", "echo x"] }));
    }

    [Fact]
    public async Task Without_a_word_from_the_host_the_guest_kills_the_program()
    {
        var watch = new HostWatch(TimeSpan.FromDays(1), TimeSpan.FromSeconds(1), 10);
        await StartedAsync(watch);
        await Guest.OneRunsAsync("ping");
        await Poll.UntilAsync(() => Guest.CountProcesses("ping") == 0, "the end of the program");
    }

    [Fact]
    public async Task A_killed_PowerShell_is_told_of_and_leaves_nothing()
    {
        var program = await StartedAsync(HostWatch.Usual);
        await Guest.KillAsync(Helper);
        await ExchangeUntilLostAsync(program).FailsWith(ErrorCatalogue.GuestPowerShellLost);
        Assert.Null(await program.StopAsync(new WindowsPlatform()).OrHang());
        await NothingLeftAsync();
        Assert.Equal(["x"], await StreamAsync(new GuestProcessStart("cmd.exe") { Arguments = ["/d", "/c", "echo x"] }));
    }

    [Fact]
    public async Task When_the_agent_ends_nothing_is_left()
    {
        var running = StreamedProcess.RunAsync(
            Session, Endless(), TakeAsync, call: new CallOptions { Timeout = TimeSpan.FromSeconds(20) }, cancellationToken: TestEnd);
        await Guest.OneRunsAsync("ping");
        await Guest.KillAgentAsync();
        await NothingLeftAsync();
        await Guest.StartAgentAsync();
        await Assert.ThrowsAsync<GuestAgentException>(() => running).OrHang();
        Assert.Equal(["x"], await StreamAsync(new GuestProcessStart("cmd.exe") { Arguments = ["/d", "/c", "echo x"] }));
    }

    [Fact]
    public async Task Output_that_comes_while_the_guest_is_frozen_is_read_once_it_is_thawed()
    {
        Session.Dispose();
        var endpoint = new FreezingEndpoint(Guest.Endpoint);
        using var session = await GuestAgentSession.ConnectAsync(endpoint, cancellationToken: TestEnd);
        var lines = new List<string>();
        var running = StreamedProcess.RunAsync(
            session, PowerShell($"'one'; while (-not (Test-Path '{Folder}\\go')) {{ Start-Sleep -Milliseconds 20 }}; 'two'; exit 3"),
            told =>
            {
                lines.AddRange(told.Select(line => line.Text));
                endpoint.IsFrozen = lines.Count == 1;
                return Task.CompletedTask;
            },
            cancellationToken: TestEnd);
        await Poll.UntilAsync(() => endpoint.Refused > 3, "a refusal");
        await File.WriteAllTextAsync(Path.Combine(Guest.HostPath(Folder), "go"), "", TestEnd);
        await Poll.UntilAsync(() => endpoint.Refused > 6, "more refusals");
        await StreamedProcess.RunAsync(session, PowerShell("'x'"), TakeAsync, cancellationToken: TestEnd).FailsWith(ErrorCatalogue.GuestFrozen);
        Assert.Equal(["one"], lines);
        endpoint.IsFrozen = false;
        Assert.Equal(3, (await running.OrHang()).ExitCode);
        Assert.Equal(["one", "two"], lines);
    }

    [Fact]
    public async Task A_pipe_serves_one_opener()
    {
        var time = new OperationTime(TimeProvider.System, null);
        var (helper, _) = await WindowsHelper.FindAsync(Session, time, TestEnd);
        var name = WindowsPipe.NewName();
        var pipe = await helper!.StartProgramAsync(name, WindowsProgram.Of(Endless()), TimeSpan.FromMinutes(1), time, TestEnd);
        var refused = await GuestFile.OpenAsync(Session, $@"\\.\pipe\{name}", "r+", time, TestEnd).FailsWith(ErrorCatalogue.GuestFileNotOpened);
        Assert.Contains("Pipe busy", refused.Message, StringComparison.Ordinal);
        await pipe.CloseAsync();
    }

    [Fact]
    public async Task Where_a_policy_restricts_PowerShell_what_needs_none_still_works()
    {
        const string Variables = @"HKLM\System\CurrentControlSet\Control\Session Manager\Environment";
        await WindowsMachine.RunAsync(Session, "reg", "add", Variables, "/v", "__PSLockdownPolicy", "/t", "REG_SZ", "/d", "4", "/f");
        try
        {
            var error = await StreamAsync(Endless()).FailsWith(ErrorCatalogue.GuestPowerShellUnusable);
            Assert.True(error.Message.Contains("constrained language", StringComparison.Ordinal), error.Message);
            var process = await GuestProcess.StartAsync(
                Session, new GuestProcessStart("cmd.exe") { WorkingDirectory = Folder }, cancellationToken: TestEnd);
            var refused = await process.WaitAsync(cancellationToken: TestEnd).FailsWith(ErrorCatalogue.ProcessNotStarted);
            Assert.Contains("constrained language", refused.Message, StringComparison.Ordinal);
            Assert.Equal(0, (await WindowsMachine.RunAsync(Session, "cmd", "/c", "echo x")).ExitCode);
        }
        finally
        {
            await WindowsMachine.RunAsync(Session, "reg", "delete", Variables, "/v", "__PSLockdownPolicy", "/f");
        }
    }

    private static GuestProcessStart Endless() => new("ping.exe") { Arguments = ["-n", "10000", "127.0.0.1"] };

    private async Task<RelayedProgram> StartedAsync(HostWatch watch)
    {
        var program = await RelayedProgram.StartAsync(Session, Endless(), watch, new OperationTime(TimeProvider.System, null), TestEnd);
        while (program.ProcessId is null)
        {
            await program.ExchangeAsync(new CallOptions(), TestEnd);
        }

        return program;
    }

    private static async Task ExchangeUntilLostAsync(RelayedProgram program)
    {
        while (true)
        {
            await program.ExchangeAsync(new CallOptions(), TestEnd);
        }
    }

    private async Task NothingLeftAsync()
    {
        await Poll.UntilAsync(() => Guest.CountProcesses("ping") == 0, "the end of the program");
        await Poll.UntilAsync(() => Guest.CountProcesses(Helper) == 0, "the end of PowerShell");
    }

    private Task<GuestProcessResult> RunAsync(GuestProcessStart start) => GuestProcess.RunAsync(Session, start, cancellationToken: TestEnd);

    private async Task<IReadOnlyList<string>> StreamAsync(GuestProcessStart start)
    {
        var texts = new List<string>();
        await StreamedProcess.RunAsync(
            Session, start,
            lines =>
            {
                texts.AddRange(lines.Select(line => line.Text));
                return Task.CompletedTask;
            },
            cancellationToken: TestEnd).OrHang();
        return texts;
    }

    private static GuestProcessStart PowerShell(string script) =>
        new("pwsh.exe")
        {
            Arguments =
            [
                "-NoLogo", "-NoProfile", "-NonInteractive", "-InputFormat", "None", "-EncodedCommand",
                Convert.ToBase64String(Encoding.Unicode.GetBytes(script)),
            ],
        };

    private static Task TakeAsync(IReadOnlyList<GuestProcessLine> lines) => Task.CompletedTask;
}
