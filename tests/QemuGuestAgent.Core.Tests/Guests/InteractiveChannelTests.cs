using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Commands;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Guests;

/// <summary>Programs that are spoken with, where what leads to them or who listens to them is in trouble.</summary>
public sealed class InteractiveChannelTests : IAsyncLifetime
{
    private readonly PlayedChannel _channel = new();
    private GuestAgentSession _session = null!;
    private InteractiveProcess _process = null!;

    public async ValueTask InitializeAsync()
    {
        _session = await Answers.ConnectAsync(new EmbeddedGuestAgentOptions());
        _process = await InteractiveProcess.StartAsync(
            _session, "there", _channel, new OperationTime(_session.Clock, null), TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        _session.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task What_a_freeze_or_another_command_puts_off_is_done_later()
    {
        var received = new TaskCompletionSource<byte[]>();
        _channel.Turns.Enqueue(() => throw ErrorCatalogue.GuestFrozen.With("guest-file-read", _session.Endpoint));
        _channel.Turns.Enqueue(() => throw ErrorCatalogue.SessionBusy.With(_session.Endpoint, 5, "guest-file-read"));
        _channel.Turns.Enqueue(() => new InteractiveTurn([1], true, null));
        var running = _process.RunAsync(received.SetResult);
        Assert.Equal([1], await received.Task.OrHang());
        await _process.CloseAsync().OrHang();
        await running.OrHang();
    }

    [Fact]
    public async Task Files_that_its_agent_does_not_know_are_its_end()
    {
        var refusal = ErrorCatalogue.AgentError.With("guest-file-read", _session.Endpoint, "handle '7' has not been found", "GenericError");
        refusal.AgentErrorText = "handle '7' has not been found";
        _channel.Turns.Enqueue(() => throw refusal);
        var error = await _process.RunAsync(_ => { }).FailsWith(ErrorCatalogue.InteractiveProcessLost);
        Assert.Contains("'there'", error.Message, StringComparison.Ordinal);
        Assert.Contains("handle '7' has not been found", error.Message, StringComparison.Ordinal);
        await _process.CloseAsync().OrHang();
    }

    [Fact]
    public async Task Who_listens_and_does_not_return_keeps_nothing_open()
    {
        using var stuck = new ManualResetEventSlim();
        var received = new TaskCompletionSource();
        _channel.Turns.Enqueue(() => new InteractiveTurn([1], true, null));
        var running = _process.RunAsync(_ =>
        {
            received.SetResult();
            stuck.Wait();
        });
        await received.Task.OrHang();
        await _process.CloseAsync().OrHang();
        Assert.True(_channel.IsClosed);
        stuck.Set();
        await running.OrHang();
    }

    private sealed class PlayedChannel : InteractiveChannel
    {
        public Queue<Func<InteractiveTurn>> Turns { get; } = new();

        public bool IsClosed { get; private set; }

        public override Task StartAsync(OperationTime time, CancellationToken cancellationToken) => Task.CompletedTask;

        public override void Send(byte[] bytes) => throw new NotSupportedException();

        public override async Task<InteractiveTurn> ExchangeAsync(CallOptions call, CancellationToken cancellationToken)
        {
            await Task.Yield();
            return Turns.TryDequeue(out var turn) ? turn() : default(InteractiveTurn) with { Output = [] };
        }

        public override Task CloseAsync(OperationTime time)
        {
            IsClosed = true;
            return Task.CompletedTask;
        }
    }
}
