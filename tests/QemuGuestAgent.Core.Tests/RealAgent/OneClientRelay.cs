using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace QemuGuestAgent.Core.Tests.RealAgent;

/// <summary>
/// A socket in front of a terminal that behaves as QEMU's <c>-chardev socket,server=on,wait=off</c>: one client at a time,
/// others wait in the backlog; what a leaving client has sent still reaches the agent, whose answer reaches the next.
/// </summary>
internal sealed class OneClientRelay : IDisposable
{
    private const short Readable = 1;
    private const short Writable = 4;
    private const int CloseOnExec = 0x80000;

    private readonly Pty _pty;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly int _end = eventfd(0, CloseOnExec);
    private readonly Thread _thread;
    private readonly byte[] _toAgent = new byte[4096];
    private readonly byte[] _toClient = new byte[65536];
    private int _toAgentCount;
    private int _toClientCount;

    public OneClientRelay(string path, Pty pty)
    {
        _pty = pty;
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen(1);
        _thread = new Thread(Run) { IsBackground = true, Name = $"relay {path}" };
        _thread.Start();
    }

    public void Dispose()
    {
        _ = write(_end, [1, 0, 0, 0, 0, 0, 0, 0], sizeof(ulong));
        _thread.Join();
        _listener.Dispose();
        _ = close(_end);
    }

    private static int Descriptor(Socket socket) => (int)socket.Handle;

    private void Run()
    {
        while (Wait(Descriptor(_listener), Readable, 0) is { Ended: false })
        {
            using var client = _listener.Accept();
            client.Blocking = false;
            _toClientCount = 0;
            if (!Serve(client))
            {
                return;
            }
        }
    }

    // Until the client leaves; false where the relay ends.
    private bool Serve(Socket client)
    {
        while (true)
        {
            var (ended, clientReady, agentReady) = Wait(
                Descriptor(client), Events(_toAgentCount < _toAgent.Length, _toClientCount > 0),
                Events(_toClientCount < _toClient.Length, _toAgentCount > 0));
            if (ended)
            {
                return false;
            }

            // The client goes first: of an answer to a client that has left, nothing is taken from the agent.
            if ((clientReady & ~Writable) != 0 && !ReceiveFrom(client))
            {
                return Drain();
            }

            if ((agentReady & Writable) != 0)
            {
                Shift(_toAgent, ref _toAgentCount, _pty.Write(_toAgent, _toAgentCount));
            }

            if ((agentReady & Readable) != 0)
            {
                var chunk = new byte[_toClient.Length - _toClientCount];
                var count = _pty.Read(chunk);
                chunk.AsSpan(0, count).CopyTo(_toClient.AsSpan(_toClientCount));
                _toClientCount += count;
            }

            if ((clientReady & Writable) != 0)
            {
                var sent = client.Send(_toClient.AsSpan(0, _toClientCount), SocketFlags.None, out var error);
                if (error is not (SocketError.Success or SocketError.WouldBlock))
                {
                    return Drain();
                }

                Shift(_toClient, ref _toClientCount, sent);
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
            if (Wait(-1, 0, Writable).Ended)
            {
                return false;
            }

            Shift(_toAgent, ref _toAgentCount, _pty.Write(_toAgent, _toAgentCount));
        }

        return true;
    }

    private (bool Ended, short Client, short Agent) Wait(int client, short clientEvents, short agentEvents)
    {
        PollEntry[] entries =
        [
            new() { Descriptor = _end, Events = Readable },
            new() { Descriptor = client, Events = clientEvents },
            new() { Descriptor = agentEvents == 0 ? -1 : _pty.Master, Events = agentEvents },
        ];
        while (poll(entries, (nuint)entries.Length, -1) < 0)
        {
            const int interrupted = 4;
            if (Marshal.GetLastPInvokeError() is var error && error != interrupted)
            {
                throw new Win32Exception(error);
            }
        }

        return (entries[0].Returned != 0, entries[1].Returned, entries[2].Returned);
    }

    private static short Events(bool read, bool write) => (short)((read ? Readable : 0) | (write ? Writable : 0));

    private static void Shift(byte[] buffer, ref int count, int done)
    {
        buffer.AsSpan(done, count - done).CopyTo(buffer);
        count -= done;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int poll([In, Out] PollEntry[] entries, nuint count, int milliseconds);

    [DllImport("libc", SetLastError = true)]
    private static extern int eventfd(uint value, int flags);

    [DllImport("libc")]
    private static extern nint write(int descriptor, byte[] bytes, nint count);

    [DllImport("libc")]
    private static extern int close(int descriptor);
}
