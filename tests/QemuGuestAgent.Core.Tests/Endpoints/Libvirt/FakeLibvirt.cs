using System.Text;
using System.Text.Json;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Endpoints.Libvirt;
using QemuGuestAgent.Core.Tests.Contract;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Endpoints.Libvirt;

/// <summary>
/// libvirt's library with one domain. Its errors are those that libvirt 9.0 was seen to give; what it passes on is answered by an agent in
/// this process.
/// </summary>
internal sealed class FakeLibvirt : ILibvirt, IDisposable
{
    public const string DomainName = "labvm";

    private readonly Stream _channel;
    private readonly RawClient _client;
    private int _openHandles;

    public FakeLibvirt()
        : this(new EmbeddedGuestAgent(new EmbeddedGuestAgentOptions { BlockedCommands = [AgentPeer.BlockedCommand] }).Connect())
    {
    }

    /// <summary>Makes one whose agent is at the other end of a channel.</summary>
    public FakeLibvirt(Stream channel)
    {
        _channel = channel;
        _client = new RawClient(channel);
    }

    /// <summary>What connecting, or looking the domain up, fails with.</summary>
    public LibvirtException? ConnectError { get; set; }

    /// <summary>What the next commands fail with, those to which it says so.</summary>
    public Func<string, Exception?> CommandError { get; set; } = _ => null;

    /// <summary>What the answers to the next commands, which the agent has carried out, get lost with: those to which it says so.</summary>
    public Func<string, LibvirtException?> AnswerError { get; set; } = _ => null;

    /// <summary>What a command waits for.</summary>
    public ManualResetEventSlim Answering { get; } = new(initialState: true);

    /// <summary>What was sent to the domain's agent, with how long libvirt was to wait.</summary>
    public List<(string Command, int Seconds)> Commands { get; } = [];

    public bool IsActive { get; set; } = true;

    /// <summary>The domains and connections that are not given back.</summary>
    public int OpenHandles => Volatile.Read(ref _openHandles);

    public IReadOnlyList<string> Descriptions { get; set; } = [];

    /// <summary>The URIs that were connected to.</summary>
    public List<(string? Uri, bool ReadOnly)> Connects { get; } = [];

    public LibvirtEndpoint Endpoint => new(DomainName, null, this);

    public ILibvirtConnection Connect(string? uri, bool readOnly)
    {
        Connects.Add((uri, readOnly));
        return ConnectError is null ? new Connection(this) : throw ConnectError;
    }

    public void Dispose()
    {
        Answering.Dispose();
        _channel.Dispose();
    }

    private byte[] Send(string command, int seconds)
    {
        Commands.Add((command, seconds));
        Answering.Wait(TimeSpan.FromSeconds(60));
        var name = JsonDocument.Parse(command, new JsonDocumentOptions { MaxDepth = 1024 }).RootElement.GetProperty("execute").GetString()!;
        if (CommandError(name) is { } error)
        {
            throw error;
        }

        Assert.NotEqual("guest-sync-delimited", name);
        return Task.Run(async () =>
        {
            await _client.SendAsync(command + "\n");
            var reply = await _client.ReadLineAsync();
            if (AnswerError(name) is { } loss)
            {
                throw loss;
            }

            if (JsonDocument.Parse(reply).RootElement.TryGetProperty("error", out var failure))
            {
                throw new LibvirtException(
                    LibvirtError.Internal,
                    $"internal error: unable to execute QEMU agent command '{name}': {failure.GetProperty("desc").GetString()}");
            }

            return Encoding.UTF8.GetBytes(reply);
        }).GetAwaiter().GetResult();
    }

    private sealed class Connection : ILibvirtConnection
    {
        private readonly FakeLibvirt _owner;

        public Connection(FakeLibvirt owner)
        {
            _owner = owner;
            Interlocked.Increment(ref owner._openHandles);
        }

        public ILibvirtDomain FindDomain(string name) => name == DomainName ? new Domain(_owner)
            : throw new LibvirtException(LibvirtError.NoDomain, $"Domain not found: no domain with matching name '{name}'");

        public IReadOnlyList<string> DescribeActiveDomains() => _owner.Descriptions;

        public void Dispose() => Interlocked.Decrement(ref _owner._openHandles);
    }

    private sealed class Domain : ILibvirtDomain
    {
        private readonly FakeLibvirt _owner;

        public Domain(FakeLibvirt owner)
        {
            _owner = owner;
            Interlocked.Increment(ref owner._openHandles);
        }

        public bool IsActive => _owner.IsActive;

        public byte[] SendAgentCommand(ReadOnlySpan<byte> command, int seconds) => _owner.Send(Encoding.UTF8.GetString(command), seconds);

        public void Dispose() => Interlocked.Decrement(ref _owner._openHandles);
    }
}
