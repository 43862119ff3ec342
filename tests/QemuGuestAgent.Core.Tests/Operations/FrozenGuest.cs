using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Operations.Freezing;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Operations;

/// <summary>An embedded guest to freeze, and the session with it; its connection can be cut.</summary>
internal sealed class FrozenGuest : GuestAgentEndpoint, IDisposable
{
    private Stream? _connection;

    private FrozenGuest(EmbeddedGuestAgentOptions? options) => Agent = new EmbeddedGuestAgent(options);

    public EmbeddedGuestAgent Agent { get; }

    public GuestAgentSession Session { get; private set; } = null!;

    public static async Task<FrozenGuest> StartAsync(EmbeddedGuestAgentOptions? options = null, TimeProvider? clock = null)
    {
        var guest = new FrozenGuest(options);
        guest.Session = await GuestAgentSession.ConnectAsync(
            guest, new() { TimeProvider = clock ?? TimeProvider.System }, cancellationToken: TestContext.Current.CancellationToken);
        return guest;
    }

    /// <summary>A scope for this guest, in which what is lost is soon noticed.</summary>
    public FreezeScope Scope(FreezeOptions? options = null, CallOptions? call = null) => Scope([this], options, call);

    public static FreezeScope Scope(IEnumerable<FrozenGuest> guests, FreezeOptions? options = null, CallOptions? call = null) => new(
        [.. guests.Select(guest => guest.Session)], (options ?? new()) with { AttemptTime = TimeSpan.FromMilliseconds(200) }, call);

    public void Cut() => _connection!.Dispose();

    public override Task<Stream> OpenAsync(CancellationToken cancellationToken) => Task.FromResult(_connection = Agent.Connect());

    public override string ToString() => "embedded:guest";

    public void Dispose()
    {
        Session.Dispose();
        Agent.Kill();
    }
}
