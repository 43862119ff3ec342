using System.Net;
using System.Net.Sockets;

namespace QemuGuestAgent.Core.Tests.RealAgent;

/// <summary>
/// A socket in front of a terminal that behaves as QEMU's <c>-chardev socket,server=on,wait=off</c>: one client at a time,
/// others wait in the backlog; what a leaving client has sent still reaches the agent, whose answer reaches the next.
/// </summary>
internal sealed class OneClientRelay : IDisposable
{
    private readonly Pty _pty;
    private readonly Socket _listener;
    private readonly Waiter _waiter = new();
    private readonly Thread _thread;
    private readonly byte[] _toAgent = new byte[4096];
    private readonly byte[] _toClient = new byte[65536];
    private int _toAgentCount;
    private int _toClientCount;
    private volatile int _clientsLeft;

    public OneClientRelay(EndPoint address, Pty pty)
    {
        _pty = pty;
        _listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        _listener.Bind(address);
        _listener.Listen(1);
        _thread = new Thread(Run) { IsBackground = true, Name = $"relay {address}" };
        _thread.Start();
    }

    /// <summary>Where it listens.</summary>
    public EndPoint Address => _listener.LocalEndPoint!;

    /// <summary>How many clients have left.</summary>
    public int ClientsLeft => _clientsLeft;

    public void Dispose()
    {
        _waiter.End(_thread);
        _listener.Dispose();
        _waiter.Dispose();
    }

    private static int Descriptor(Socket socket) => (int)socket.Handle;

    private void Run()
    {
        while (Wait(Descriptor(_listener), Waiter.Readable, 0) is { Ended: false })
        {
            using var client = _listener.Accept();
            client.Blocking = false;
            _toClientCount = 0;
            if (!Serve(client))
            {
                return;
            }

            _clientsLeft++;
        }
    }

    // Until the client leaves; false where the relay ends.
    private bool Serve(Socket client)
    {
        while (true)
        {
            var (ended, clientReady, agentReady) = Wait(
                Descriptor(client), Waiter.Events(_toAgentCount < _toAgent.Length, _toClientCount > 0),
                Waiter.Events(_toClientCount < _toClient.Length, _toAgentCount > 0));
            if (ended)
            {
                return false;
            }

            // The client goes first: of an answer to a client that has left, nothing is taken from the agent.
            if ((clientReady & ~Waiter.Writable) != 0 && !ReceiveFrom(client))
            {
                return Drain();
            }

            if ((agentReady & Waiter.Writable) != 0)
            {
                Waiter.Shift(_toAgent, ref _toAgentCount, _pty.Write(_toAgent, _toAgentCount));
            }

            if ((agentReady & Waiter.Readable) != 0)
            {
                var chunk = new byte[_toClient.Length - _toClientCount];
                var count = _pty.Read(chunk);
                chunk.AsSpan(0, count).CopyTo(_toClient.AsSpan(_toClientCount));
                _toClientCount += count;
            }

            if ((clientReady & Waiter.Writable) != 0)
            {
                var sent = client.Send(_toClient.AsSpan(0, _toClientCount), SocketFlags.None, out var error);
                if (error is not (SocketError.Success or SocketError.WouldBlock))
                {
                    return Drain();
                }

                Waiter.Shift(_toClient, ref _toClientCount, sent);
            }
        }
    }

    // False where the client has left: a half-close counts, as with QEMU.
    private bool ReceiveFrom(Socket client)
    {
        var room = _toAgent.AsSpan(_toAgentCount);
        if (room.IsEmpty)
        {
            return true;
        }

        var count = client.Receive(room, SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock)
        {
            return true;
        }

        _toAgentCount += count;
        return error == SocketError.Success && count > 0;
    }

    // What the leaving client had sent is still delivered.
    private bool Drain()
    {
        while (_toAgentCount > 0)
        {
            if (Wait(-1, 0, Waiter.Writable).Ended)
            {
                return false;
            }

            Waiter.Shift(_toAgent, ref _toAgentCount, _pty.Write(_toAgent, _toAgentCount));
        }

        return true;
    }

    private (bool Ended, short Client, short Agent) Wait(int client, short clientEvents, short agentEvents) =>
        _waiter.Wait(client, clientEvents, _pty.Master, agentEvents);
}
