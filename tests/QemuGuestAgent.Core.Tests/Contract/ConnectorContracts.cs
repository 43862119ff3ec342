using System.Net;
using System.Net.Sockets;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Endpoints.Ssh;
using QemuGuestAgent.Core.Tests.Endpoints.Ssh;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Contract;

/// <summary>The contract, by a name in the abstract namespace of Linux.</summary>
public sealed class AbstractSocketContract : AgentContract
{
    protected override Task<AgentPeer> StartPeerAsync() => Task.FromResult<AgentPeer>(
        new PtyAgent(RealAgentBinary.Installed(), new UnixDomainSocketEndPoint($"\0qga-{Guid.NewGuid()}")));
}

/// <summary>The contract, by TCP.</summary>
public sealed class TcpContract : AgentContract
{
    protected override Task<AgentPeer> StartPeerAsync() => Task.FromResult<AgentPeer>(new PtyAgent(
        RealAgentBinary.Installed(), new IPEndPoint(IPAddress.Loopback, 0), address => new TcpEndpoint("127.0.0.1", ((IPEndPoint)address).Port)));
}

/// <summary>The contract, by a named pipe: on Unix, .NET's own, which is a socket with such a path.</summary>
public sealed class PipeContract : AgentContract
{
    protected override Task<AgentPeer> StartPeerAsync()
    {
        var name = $"qga-{Guid.NewGuid()}";
        var path = new UnixDomainSocketEndPoint(Path.Combine(Path.GetTempPath(), $"CoreFxPipe_{name}"));
        return Task.FromResult<AgentPeer>(new PtyAgent(RealAgentBinary.Installed(), path, _ => new PipeEndpoint(name)));
    }
}

/// <summary>The contract, by a program that passes the bytes on.</summary>
public sealed class ExecContract : AgentContract
{
    protected override Task<AgentPeer> StartPeerAsync()
    {
        var socat = InstalledProgram.OrSkip("socat");
        return Task.FromResult<AgentPeer>(
            new PtyAgent(RealAgentBinary.Installed(), endpoint: address => new ExecEndpoint(socat, "-", $"UNIX-CONNECT:{address}")));
    }
}

/// <summary>The contract, by ssh to a host that forwards the socket.</summary>
public sealed class SshContract(SshContract.Server server) : AgentContract, IClassFixture<SshContract.Server>
{
    protected override async Task<AgentPeer> StartPeerAsync() => await SshAgent.StartAsync(server.Started.Value, RealAgentBinary.Installed());

    /// <summary>A host, with a connection that outlives each test.</summary>
    public sealed class Server : IDisposable
    {
        private SshUse? _use;

        public Server() => Started = new(() =>
        {
            var server = SshServer.Start();
            _use = SshConnection.Use(server.Host);
            return server;
        });

        internal Lazy<SshServer> Started { get; }

        public void Dispose()
        {
            _use?.Dispose();
            if (Started.IsValueCreated)
            {
                Started.Value.Dispose();
            }
        }
    }
}

/// <summary>The contract, by a serial line.</summary>
public sealed class SerialContract : AgentContract
{
    protected override Task<AgentPeer> StartPeerAsync() => Task.FromResult<AgentPeer>(new SerialAgent(RealAgentBinary.Installed()));
}

/// <summary>The contract, by a terminal that echoes and waits for whole lines, as a new one does, until it is opened as a channel.</summary>
public sealed class EchoingTerminalContract : AgentContract
{
    protected override Task<AgentPeer> StartPeerAsync() => Task.FromResult<AgentPeer>(new SerialAgent(RealAgentBinary.Installed(), isRaw: false));
}

/// <summary>The contract, by a virtual socket, where this machine can be its own guest.</summary>
public sealed class VsockContract : AgentContract
{
    protected override async Task<AgentPeer> StartPeerAsync() => await ListeningAgent.StartOnVsockAsync(RealAgentBinary.Installed());
}
