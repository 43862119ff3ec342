namespace QemuGuestAgent.Core.Tests.RealAgent;

/// <summary>Joins two terminals as a cable joins two serial ports. The far end may echo, as one does on which no agent has the port.</summary>
internal sealed class SerialCable : IDisposable
{
    // Less than a terminal's own: what the client has sent may come back in full.
    private const int ChunkBytes = 1024;

    private readonly Pty _client;
    private readonly Pty _agent;
    private readonly bool _echoes;
    private readonly Waiter _waiter = new();
    private readonly Thread _thread;

    public SerialCable(Pty client, Pty agent, bool echoes = false)
    {
        (_client, _agent, _echoes) = (client, agent, echoes);
        _thread = new Thread(Run) { IsBackground = true, Name = $"cable {client.SlavePath}" };
        _thread.Start();
    }

    public void Dispose()
    {
        _waiter.End(_thread);
        _waiter.Dispose();
    }

    private void Run()
    {
        var toAgent = new byte[ChunkBytes];
        var toClient = new byte[2 * ChunkBytes];
        var (toAgentCount, toClientCount) = (0, 0);
        while (true)
        {
            var hasRoom = toClientCount < ChunkBytes;
            var (ended, client, agent) = _waiter.Wait(
                _client.Master, Waiter.Events(toAgentCount == 0 && hasRoom, toClientCount > 0),
                _agent.Master, Waiter.Events(hasRoom, toAgentCount > 0));
            if (ended)
            {
                return;
            }

            if ((client & Waiter.Readable) != 0)
            {
                toAgentCount = _client.Read(toAgent);
                if (_echoes)
                {
                    toAgent.AsSpan(0, toAgentCount).CopyTo(toClient.AsSpan(toClientCount));
                    toClientCount += toAgentCount;
                }
            }

            if ((agent & Waiter.Readable) != 0 && toClientCount < ChunkBytes)
            {
                var chunk = new byte[ChunkBytes];
                var count = _agent.Read(chunk);
                chunk.AsSpan(0, count).CopyTo(toClient.AsSpan(toClientCount));
                toClientCount += count;
            }

            if ((client & Waiter.Writable) != 0)
            {
                Waiter.Shift(toClient, ref toClientCount, _client.Write(toClient, toClientCount));
            }

            if ((agent & Waiter.Writable) != 0)
            {
                Waiter.Shift(toAgent, ref toAgentCount, _agent.Write(toAgent, toAgentCount));
            }
        }
    }
}
