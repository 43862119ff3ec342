using System.Net.Sockets;

namespace QemuGuestAgent.Benchmarks;

/// <summary>The least that a client in C# can do: write the bytes, block until the line is there.</summary>
internal static class Bare
{
    /// <summary>Sends a request and receives its reply.</summary>
    /// <param name="socket">A blocking socket.</param>
    /// <param name="request">The request's bytes.</param>
    /// <param name="buffer">Memory for the whole reply.</param>
    /// <param name="spins">Whether to ask again and again for the reply, instead of sleeping: the least time that there is.</param>
    /// <returns>The bytes of the reply, its LF included.</returns>
    public static int Exchange(Socket socket, ReadOnlySpan<byte> request, Span<byte> buffer, bool spins = false)
    {
        while (request.Length > 0)
        {
            request = request[socket.Send(request)..];
        }

        var count = 0;
        do
        {
            while (spins && !socket.Poll(0, SelectMode.SelectRead))
            {
            }

            var received = socket.Receive(buffer[count..]);
            count += received > 0 ? received : throw new EndOfStreamException();
        }
        while (buffer[count - 1] != '\n');
        return count;
    }
}
