using System.Net.Sockets;
using QemuGuestAgent.Core.Endpoints;

namespace QemuGuestAgent.Core.Tests.RealAgent;

/// <summary>This machine as its own guest, by virtual sockets: Linux's module vsock_loopback.</summary>
internal static class VsockLoopback
{
    /// <summary>The context id of this machine itself.</summary>
    public const uint Cid = 1;

    /// <summary>A port on which nobody listens; skips the test where the kernel has no loopback.</summary>
    public static uint FreePortOrSkip()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Virtual sockets are Linux's.");
        var port = (uint)Random.Shared.Next(0x10000, int.MaxValue);
        try
        {
            using var socket = VsockEndpoint.MakeSocket();
            socket.Bind(new VsockEndpoint.Address(Cid, port));
        }
        catch (SocketException e)
        {
            Assert.Skip($"This kernel has no loopback of virtual sockets (modprobe vsock_loopback): {e.Message}");
        }

        return port;
    }
}
