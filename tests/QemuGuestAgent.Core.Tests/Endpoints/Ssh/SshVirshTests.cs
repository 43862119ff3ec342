using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Endpoints.Ssh;

/// <summary>libvirt domains through the virsh of a host that a real sshd leads to, without libvirt's library here.</summary>
public sealed class SshVirshTests : IDisposable
{
    private readonly LabFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_domain_is_reached_by_the_virsh_of_its_host()
    {
        // A domain with an agent: commands and replies as virsh 9.0 reads and writes them.
        Script("virsh", """
            printf '%s\n' "$@" > FOLDER/arguments
            env > FOLDER/environment
            while IFS= read -r line; do
                printf 'virsh # %s\n' "$line"
                case $line in
                uri) echo qemu:///system ;;
                list*) echo '6695eb01-f6a4-8304-79aa-97f2502e193f web1' ;;
                domid*) echo 1 ;;
                *guest-info*) echo '{"return":{"version":"9.0","supported_commands":[{"name":"guest-ping","enabled":true,"success-response":true}]}}' ;;
                *guest-ping*) echo '{"return":{}}' ;;
                *) echo "error: unknown command: '$line'" >&2 ;;
                esac
            done
            """);
        using var server = SshServer.Start(Only());
        await using var session = await ConnectAsync("qemu", server, "web1");
        Assert.Equal("9.0", session.Agent!.Version);
        Assert.Equal("{}", (await session.InvokeAsync(new GuestAgentRequest("guest-ping"), cancellationToken: CancellationToken.None)).GetRawText());
        Assert.Equal("-q\n-c\nqemu:///system\n", File.ReadAllText(_folder.Combine("arguments")));
        Assert.Contains("XDG_CACHE_HOME=/dev/null", File.ReadAllLines(_folder.Combine("environment")));

        await ConnectAsync("qemu", server, "other").FailsWith(ErrorCatalogue.EndpointNotFound);
        await session.DisposeAsync();
        await Poll.UntilAsync(() => !server.Sessions.Any(), "the end of virsh and of ssh");
    }

    [Fact]
    public async Task The_real_virsh_is_understood()
    {
        InstalledProgram.OrSkip("virsh", "libvirt-clients");
        using var server = SshServer.Start();

        // The domain of libvirt's own driver for tests has no agent.
        await using var session = await ConnectAsync("test", server, "test", "default");
        var failure = await session.InvokeAsync(new GuestAgentRequest("guest-ping"), cancellationToken: CancellationToken.None)
            .FailsWith(ErrorCatalogue.AgentError);
        Assert.Contains("not supported by the connection driver", failure.Message);
        await ConnectAsync("test", server, "none", "default").FailsWith(ErrorCatalogue.EndpointNotFound);
    }

    [Fact]
    public async Task A_host_without_virsh_is_told_of()
    {
        using var server = SshServer.Start(Only());
        var error = await ConnectAsync("qemu", server, "web1").FailsWith(ErrorCatalogue.EndpointNotSupported);
        Assert.Contains("nor virsh on the host", error.Message);
    }

    private static Task<GuestAgentSession> ConnectAsync(string driver, SshServer server, string domain, string path = "system")
    {
        var uri = $"{driver}+ssh://127.0.0.1:{server.Port}/{path}?keyfile={server.Combine("key")}&known_hosts={server.Combine("known")}";
        return GuestAgentSession.ConnectAsync(
            new LibvirtEndpoint(domain, uri, library: null), call: new CallOptions { Timeout = TimeSpan.FromMinutes(1) },
            cancellationToken: CancellationToken.None).OrHang();
    }

    private string Only() => $"ForceCommand PATH={_folder.FullPath}; export PATH; eval \"$SSH_ORIGINAL_COMMAND\"";

    private void Script(string name, string script)
    {
        File.CreateSymbolicLink(_folder.Combine("env"), "/usr/bin/env");
        File.WriteAllText(_folder.Combine(name), $"#!/bin/sh\n{script.Replace("FOLDER", _folder.FullPath)}\n");
        Nobody.SetMode(_folder.Combine(name), (UnixFileMode)0b111_101_101);
    }
}
