using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Endpoints.Ssh;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Tests.Endpoints.Ssh;

/// <summary>ssh endpoints through a real sshd.</summary>
public sealed class SshEndpointTests : IDisposable
{
    private static readonly CallOptions Patient = new() { Timeout = TimeSpan.FromMinutes(1) };

    private readonly LabFolder _folder = new();
    private readonly SocketGuests _guests = new();

    public void Dispose()
    {
        _guests.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Guests_of_a_host_share_one_connection_and_have_no_process_there()
    {
        // Its defaults, below which many stay: MaxStartups 10:30:100, MaxSessions 10.
        using var server = SshServer.Start();
        var sessions = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => ConnectAsync(server, Guest($"{i}.sock"))));
        Assert.All(sessions, session => Assert.Equal(GuestAgentSessionState.Ready, session.State));
        Assert.Equal(1, CountLogins(server));
        Assert.DoesNotContain(server.Sessions, line => !line.StartsWith("sshd", StringComparison.Ordinal));
        Array.ForEach(sessions, session => session.Dispose());
        await AssertNothingIsLeftAsync(server);
    }

    [Fact]
    public async Task Guests_of_a_host_that_does_not_forward_come_all_as_well()
    {
        using var server = SshServer.Start("DisableForwarding yes");
        var sessions = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => ConnectAsync(server, Guest($"{i}.sock"))));
        Assert.All(sessions, session => Assert.Equal(GuestAgentSessionState.Ready, session.State));
        Array.ForEach(sessions, session => session.Dispose());
        await AssertNothingIsLeftAsync(server);
    }

    [Theory]
    [InlineData("socat", "UNIX-CONNECT")]
    [InlineData("nc", "-U")]
    [InlineData("python3", "AF_UNIX")]
    [InlineData("perl", "AF_UNIX")]
    public async Task A_host_that_does_not_forward_relays_by(string program, string argument)
    {
        using var server = SshServer.Start("DisableForwarding yes", Only(Tools(program)));
        foreach (var name in (string[])["plain.sock", "-a b 'c' \"d\" $HOME `e` \\f {g},h:i!j%k\ud83d\ude00"])
        {
            await using var session = await ConnectAsync(server, Guest(name));
            await AssertServesAsync(session);
            Assert.Contains(server.Sessions, line => line.StartsWith(program, StringComparison.Ordinal) && line.Contains(argument));
        }

        await AssertNothingIsLeftAsync(server);
    }

    [Fact]
    public async Task A_host_that_can_neither_forward_nor_relay_is_told_of()
    {
        using var server = SshServer.Start("DisableForwarding yes", Only(Tools()));
        await ConnectAsync(server, Guest("a.sock")).FailsWith(ErrorCatalogue.SshRelayMissing);
        await AssertNothingIsLeftAsync(server);
    }

    [Theory]
    [InlineData("-a b 'c' \"d\" `e` {g},h:i!j\\k\ud83d\ude00")]
    [InlineData("${HOME}%h.sock")]
    [InlineData("a\nb.sock")]
    public async Task A_socket_may_have_any_name(string name)
    {
        using var server = SshServer.Start();
        await using var session = await ConnectAsync(server, Guest(name));
        await AssertServesAsync(session);
        Assert.Equal(session.Endpoint.ToString(), EndpointGrammar.Default.Parse(session.Endpoint.ToString()).ToString());
    }

    [Fact]
    public async Task What_is_not_there_or_no_socket_or_left_over_is_told_of()
    {
        using var server = SshServer.Start();
        await ConnectAsync(server, _folder.Combine("none")).FailsWith(ErrorCatalogue.EndpointNotFound);
        await File.WriteAllTextAsync(_folder.Combine("file"), "", CancellationToken.None);
        await ConnectAsync(server, _folder.Combine("file")).FailsWith(ErrorCatalogue.EndpointUnreachable);
        using (var left = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            left.Bind(new UnixDomainSocketEndPoint(_folder.Combine("bound")));
            File.Move(_folder.Combine("bound"), _folder.Combine("left"));
        }

        await ConnectAsync(server, _folder.Combine("left")).FailsWith(ErrorCatalogue.EndpointRefused);
        await AssertNothingIsLeftAsync(server);
    }

    [Fact]
    public async Task What_ssh_refuses_is_told_of()
    {
        using var server = SshServer.Start();
        var path = Guest("a.sock");
        await ConnectAsync(new SshEndpoint(new SshHost("no-such-host.invalid"), path)).FailsWith(ErrorCatalogue.EndpointHostNotFound);
        await ConnectAsync(new SshEndpoint(new SshHost("127.0.0.1", port: 1), path)).FailsWith(ErrorCatalogue.SshFailed);

        await ConnectAsync(With(server, path, "UserKnownHostsFile", "/dev/null")).FailsWith(ErrorCatalogue.SshHostKeyUnknown);
        await File.WriteAllTextAsync(server.Combine("others"), $"[127.0.0.1]:{server.Port} {server.MakeKey("other")}\n", CancellationToken.None);
        await ConnectAsync(With(server, path, "UserKnownHostsFile", server.Combine("others"))).FailsWith(ErrorCatalogue.SshHostKeyChanged);
        var denied = await ConnectAsync(With(server, path, "IdentityFile", server.Combine("other"))).FailsWith(ErrorCatalogue.SshAccessDenied);
        Assert.Contains("Permission denied (publickey", denied.Message);
        await AssertNothingIsLeftAsync(server);
    }

    [Fact]
    public async Task A_host_with_too_many_who_log_in_is_tried_again()
    {
        using var server = SshServer.Start("MaxStartups 2:100:2");
        var path = Guest("a.sock");
        using var first = await OccupyAsync(server);
        using var second = await OccupyAsync(server);

        var brief = new CallOptions { Timeout = TimeSpan.FromSeconds(2) };
        await GuestAgentSession.ConnectAsync(new SshEndpoint(server.Host, path), call: brief, cancellationToken: CancellationToken.None)
            .FailsWith(ErrorCatalogue.SshHostBusy);
        var connecting = ConnectAsync(server, path);
        var refusals = Refusals(server);
        await Poll.UntilAsync(() => Refusals(server) > refusals, "a refusal");
        first.Close();
        second.Close();
        await using var session = await connecting;
        Assert.Equal(GuestAgentSessionState.Ready, session.State);
    }

    [Fact]
    public async Task The_session_comes_back_after_ssh_was_killed()
    {
        using var server = SshServer.Start();
        await using var session = await ConnectAsync(server, Guest("a.sock"));
        Masters(server).ForEach(id => AgentProcess.Send(id, Signal.Kill));
        await AskAsync(session, 1).FailsWith(ErrorCatalogue.ConnectionLost);
        Assert.Equal(GuestAgentSessionState.Faulted, session.State);
        await session.SynchronizeAsync(Patient, CancellationToken.None).OrHang();
        await AssertServesAsync(session);
    }

    [Fact]
    public async Task The_session_comes_back_after_the_host_was_down()
    {
        using var server = SshServer.Start();
        await using var session = await ConnectAsync(server, Guest("a.sock"));
        server.Stop();
        await AskAsync(session, 1).FailsWith(ErrorCatalogue.ConnectionLost);
        await session.SynchronizeAsync(Patient, CancellationToken.None).FailsWith(ErrorCatalogue.SshFailed);
        server.Start();
        await session.SynchronizeAsync(Patient, CancellationToken.None).OrHang();
        await AssertServesAsync(session);
        await session.DisposeAsync();
        await AssertNothingIsLeftAsync(server);
    }

    [Fact]
    public async Task Time_limits_hold_where_the_network_stops()
    {
        using var server = SshServer.Start();
        var session = await ConnectAsync(server, Guest("a.sock"));
        var ids = Masters(server);
        ids.ForEach(id => AgentProcess.Send(id, Signal.Stop));
        var brief = new CallOptions { Timeout = TimeSpan.FromMilliseconds(300) };
        await AskAsync(session, 1, brief).FailsWith(ErrorCatalogue.CommandTimedOut);
        await session.SynchronizeAsync(brief, CancellationToken.None).FailsWith(ErrorCatalogue.AgentBusy);
        ids.ForEach(id => AgentProcess.Send(id, Signal.Continue));
        await AssertServesAsync(session);

        // What is stopped does not end by itself.
        ids.ForEach(id => AgentProcess.Send(id, Signal.Stop));
        await session.DisposeAsync();
        await AssertNothingIsLeftAsync(server);
    }

    [Theory]
    [InlineData("")]
    [InlineData("DisableForwarding yes")]
    public async Task Nothing_is_left_of_a_process_that_was_killed(string line)
    {
        using var server = SshServer.Start(line);
        using var host = TestHost.Start(SshClientHost.Argument, new SshEndpoint(server.Host, Guest("a.sock")).ToString());
        Assert.Equal("up", await host.StandardOutput.ReadLineAsync(CancellationToken.None).AsTask().OrHang());
        Assert.NotEmpty(Masters(server));
        host.Kill();
        await host.WaitForExitAsync(CancellationToken.None).OrHang();
        await AssertNothingIsLeftAsync(server);
    }

    [Fact]
    public async Task What_a_profile_writes_before_the_channel_is_passed_over()
    {
        using var server = SshServer.Start(
            "DisableForwarding yes", "ForceCommand printf '\\377{\"return\": 1}\\nqga-0 up\\n\\033[2J'; echo oops >&2; eval \"$SSH_ORIGINAL_COMMAND\"");
        await using var session = await ConnectAsync(server, Guest("a.sock"));
        await AssertServesAsync(session);
    }

    [Fact]
    public async Task A_profile_that_never_ends_is_told_of()
    {
        using var server = SshServer.Start("DisableForwarding yes", "ForceCommand yes");
        var error = await ConnectAsync(server, Guest("a.sock")).FailsWith(ErrorCatalogue.SshFailed);
        Assert.Contains("65536 bytes", error.Message);
        await AssertNothingIsLeftAsync(server);
    }

    [Fact]
    public async Task By_sudo_the_host_relays()
    {
        var tools = Tools("socat");
        Script(Path.Combine(tools, "sudo"), "[ \"$1\" = -n ] || exit 9; shift; exec \"$@\"");
        using var server = SshServer.Start(Only(tools));
        await using var session = await ConnectAsync(new SshEndpoint(new SshHost("127.0.0.1", port: server.Port, options: server.Options, usesSudo: true), Guest("a.sock")));
        await AssertServesAsync(session);
        Assert.Contains(server.Sessions, command => command.Contains("UNIX-CONNECT"));
    }

    [Fact]
    public async Task A_sudo_that_asks_is_told_of()
    {
        var tools = Tools("socat");
        Script(Path.Combine(tools, "sudo"), "echo 'sudo: a password is required' >&2; exit 1");
        using var server = SshServer.Start(Only(tools));
        var host = new SshHost("127.0.0.1", port: server.Port, options: server.Options, usesSudo: true);
        var error = await ConnectAsync(new SshEndpoint(host, Guest("a.sock"))).FailsWith(ErrorCatalogue.SshSudoDenied);
        Assert.Contains("a password is required", error.Message);
    }

    [Fact]
    public async Task What_is_cancelled_leaves_nothing()
    {
        // A listener that never says who it is.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var host = new SshHost("127.0.0.1", port: ((IPEndPoint)listener.LocalEndpoint).Port);
        var brief = new CallOptions { Timeout = TimeSpan.FromMilliseconds(300) };
        await GuestAgentSession.ConnectAsync(new SshEndpoint(host, "/none"), call: brief, cancellationToken: CancellationToken.None)
            .FailsWith(ErrorCatalogue.EndpointTimedOut);
        await Poll.UntilAsync(() => Commands($"-p\0{host.Port}\0").Count == 0, "the end of ssh");
    }

    // A shell with what the scripts need, and these programs.
    private string Tools(params string[] programs)
    {
        var folder = Directory.CreateDirectory(_folder.Combine("tools")).FullName;
        foreach (var program in (string[])["id", "ls", "sh", .. programs])
        {
            // A shim of a version manager would look for the program in the PATH.
            var system = Path.Combine("/usr/bin", program);
            File.CreateSymbolicLink(Path.Combine(folder, program), File.Exists(system) ? system : InstalledProgram.OrSkip(program, program == "nc" ? "netcat-openbsd" : null));
        }

        return folder;
    }

    // A profile may set the PATH itself.
    private static string Only(string tools) => $"ForceCommand PATH={tools}; export PATH; eval \"$SSH_ORIGINAL_COMMAND\"";

    private static void Script(string path, string script)
    {
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        Nobody.SetMode(path, (UnixFileMode)0b111_101_101);
    }

    private string Guest(string name) => _guests.Listen(_folder.Combine(name));

    private static SshEndpoint With(SshServer server, string path, string option, string value) =>
        new(new SshHost("127.0.0.1", port: server.Port, options: new Dictionary<string, string>(server.Options) { [option] = value }), path);

    private static Task<GuestAgentSession> ConnectAsync(SshServer server, string path) => ConnectAsync(new SshEndpoint(server.Host, path));

    private static Task<GuestAgentSession> ConnectAsync(SshEndpoint endpoint) =>
        GuestAgentSession.ConnectAsync(endpoint, call: Patient, cancellationToken: TestContext.Current.CancellationToken).OrHang();

    private static Task<JsonElement> AskAsync(GuestAgentSession session, long number, CallOptions? call = null) => session.InvokeAsync(
        new GuestAgentRequest("guest-sync", ArgumentWriter.Prepare("guest-sync", new Dictionary<string, object?> { ["id"] = number })),
        call ?? Patient, CancellationToken.None);

    private static async Task AssertServesAsync(GuestAgentSession session)
    {
        var number = Random.Shared.NextInt64();
        Assert.Equal(number, (await AskAsync(session, number).OrHang()).GetInt64());
    }

    private static int CountLogins(SshServer server) => server.Log.Split('\n').Count(line => line.Contains("Accepted publickey"));

    // Somebody who does not go on once sshd has said who it is. Another may still be leaving.
    private static async Task<TcpClient> OccupyAsync(SshServer server)
    {
        while (true)
        {
            var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, server.Port, CancellationToken.None);
            var said = new byte[4];
            if (await client.GetStream().ReadAtLeastAsync(said, 4, throwOnEndOfStream: false, CancellationToken.None).AsTask().OrHang() == 4
                && said.AsSpan().SequenceEqual("SSH-"u8))
            {
                return client;
            }

            client.Dispose();
        }
    }

    private static int Refusals(SshServer server) => server.Log.Split('\n').Count(line => line.Contains("drop connection") || line.Contains("exited MaxStartups") || line.Contains("past MaxStartups"));

    private static List<int> Masters(SshServer server) => Commands($"-p\0{server.Port}\0");

    private static List<int> Commands(string part) => [.. Directory.EnumerateDirectories("/proc")
        .Where(folder => int.TryParse(Path.GetFileName(folder), out _) && CommandLine(folder) is var line && line.Contains(part)
            && Path.GetFileName(line.Split('\0')[0]) == "ssh")
        .Select(folder => int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture))];

    private static string CommandLine(string folder)
    {
        try
        {
            return File.ReadAllText($"{folder}/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static async Task AssertNothingIsLeftAsync(SshServer server)
    {
        await Poll.UntilAsync(() => Masters(server).Count == 0, "the end of ssh");
        await Poll.UntilAsync(() => !server.Sessions.Any(), "the end of what ssh has started");
        var folder = UserFolder.ForLocks(_ => { });
        await Poll.UntilAsync(() => !Directory.EnumerateDirectories(folder, "ssh-*").Any(IsOfTheDead), "the end of its folder");
    }

    private static bool IsOfTheDead(string folder) => !Directory.Exists($"/proc/{Path.GetFileName(folder).Split('-')[1]}");
}
