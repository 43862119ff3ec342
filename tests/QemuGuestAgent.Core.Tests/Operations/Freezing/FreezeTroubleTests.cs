using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Freezing;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Freezing;

/// <summary>Replies that get lost, agents that die: a guest is never left frozen without a word, and never called consistent wrongly.</summary>
public sealed class FreezeTroubleTests
{
    private const string Freeze = "guest-fsfreeze-freeze";
    private const string Thaw = "guest-fsfreeze-thaw";

    private static readonly CallOptions Briefly = new() { Timeout = TimeSpan.FromMilliseconds(200) };

    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_lost_freeze_reply_is_settled_by_the_status(bool ids)
    {
        using var guest = await FrozenGuest.StartAsync(new()
        {
            EchoesRequestIds = ids, Faults = new() { LostReplies = { [Freeze] = 1 } },
        });
        var scope = guest.Scope(call: Briefly);
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        Assert.True(guest.Agent.IsFrozen);
        var outcome = Assert.Single(await scope.ThawAsync(hasSucceeded: true));
        Assert.Equal((FreezeResult.Consistent, null, 2), (outcome.Result, outcome.FrozenCount, outcome.ThawedCount));
        Assert.False(guest.Agent.IsFrozen);
    }

    [Fact]
    public async Task A_freeze_reply_that_comes_late_still_tells_the_count()
    {
        using var guest = await FrozenGuest.StartAsync(new() { CommandDelays = { [Freeze] = TimeSpan.FromMilliseconds(600) } });
        var scope = guest.Scope(call: Briefly);
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        var outcome = Assert.Single(await scope.ThawAsync(hasSucceeded: true));
        Assert.Equal((FreezeResult.Consistent, 2, 2), (outcome.Result, outcome.FrozenCount, outcome.ThawedCount));
    }

    [Fact]
    public async Task A_freeze_that_was_lost_with_its_reply_is_an_error()
    {
        using var guest = await FrozenGuest.StartAsync(new()
        {
            Commands = { [Freeze] = _ => 2 }, Faults = new() { LostReplies = { [Freeze] = 1 } },
        });
        var failure = Assert.Single(await guest.Scope(call: Briefly).FreezeAsync(TestEnd));
        failure.Error.ShouldBe(ErrorCatalogue.CommandTimedOut);
        Assert.Equal(Thaw, guest.Agent.Requests[^1]);
    }

    [Theory]
    [InlineData("{\"return\": {}}\n")]
    [InlineData("{\"return\"\n")]
    public async Task A_freeze_reply_that_is_none_is_settled_too(string reply)
    {
        using var guest = await FrozenGuest.StartAsync(new()
        {
            EchoesRequestIds = false, Faults = new() { RawReplies = { [Freeze] = System.Text.Encoding.ASCII.GetBytes(reply) } },
        });
        var scope = guest.Scope();
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        var outcome = Assert.Single(await scope.ThawAsync(hasSucceeded: true));
        Assert.Equal((FreezeResult.Consistent, null), (outcome.Result, outcome.FrozenCount));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_lost_thaw_reply_leaves_the_guest_thawed_and_nothing_known_to_be_consistent(int lost)
    {
        using var guest = await FrozenGuest.StartAsync(new() { Faults = new() { LostReplies = { [Thaw] = lost } } });
        var scope = guest.Scope();
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        var outcome = Assert.Single(await scope.ThawAsync(hasSucceeded: true));
        Assert.Equal((FreezeResult.ThawReplyLost, 0), (outcome.Result, outcome.ThawedCount));
        outcome.Error!.ShouldBe(ErrorCatalogue.ThawReplyLost);
        Assert.False(guest.Agent.IsFrozen);
        Assert.False(guest.Session.IsFrozen);
    }

    [Fact]
    public async Task A_thaw_reply_that_comes_late_still_shows_that_all_was_well()
    {
        using var guest = await FrozenGuest.StartAsync(new() { CommandDelays = { [Thaw] = TimeSpan.FromMilliseconds(700) } });
        var scope = guest.Scope();
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        var outcome = Assert.Single(await scope.ThawAsync(hasSucceeded: true));
        Assert.Equal((FreezeResult.Consistent, 2), (outcome.Result, outcome.ThawedCount));
        Assert.Single(guest.Agent.Requests, Thaw);
    }

    [Fact]
    public async Task A_cut_connection_is_opened_again_for_the_thaw()
    {
        using var guest = await FrozenGuest.StartAsync();
        var scope = guest.Scope();
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        guest.Cut();
        var outcome = Assert.Single(await scope.ThawAsync(hasSucceeded: true));
        Assert.NotEqual(FreezeResult.LeftFrozen, outcome.Result);
        Assert.False(guest.Agent.IsFrozen);
    }

    [Fact]
    public async Task An_agent_that_was_restarted_meanwhile_thaws_what_the_guest_held_frozen()
    {
        using var guest = await FrozenGuest.StartAsync();
        var scope = guest.Scope();
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        guest.Agent.Kill();
        guest.Agent.Start();
        var outcome = Assert.Single(await scope.ThawAsync(hasSucceeded: true));
        Assert.Equal((FreezeResult.Consistent, 2), (outcome.Result, outcome.ThawedCount));
        Assert.False(guest.Agent.IsFrozen);
    }

    [Fact]
    public async Task Windows_lets_go_when_its_agent_is_restarted()
    {
        using var guest = await FrozenGuest.StartAsync(new() { GuestOS = EmbeddedGuestOS.Windows });
        var scope = guest.Scope();
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        guest.Agent.Kill();
        guest.Agent.Start();
        Assert.Single(await scope.ThawAsync(hasSucceeded: true)).Error!.ShouldBe(ErrorCatalogue.ThawedEarly);
    }

    [Fact]
    public async Task What_something_else_thawed_is_not_consistent()
    {
        using var guest = await FrozenGuest.StartAsync();
        var scope = guest.Scope();
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        await guest.Session.InvokeAsync(new GuestAgentRequest(Thaw), cancellationToken: TestEnd);
        var outcome = Assert.Single(await scope.ThawAsync(hasSucceeded: true));
        Assert.Equal((FreezeResult.ThawedEarly, 0), (outcome.Result, outcome.ThawedCount));
        outcome.Error!.ShouldBe(ErrorCatalogue.ThawedEarly);
    }

    [Theory]
    [InlineData(9, FreezeResult.Consistent)]
    [InlineData(11, FreezeResult.WindowsFreezeLimit)]
    public async Task Windows_holds_writes_for_ten_seconds(int seconds, FreezeResult result)
    {
        var clock = new FakeTimeProvider();
        using var guest = await FrozenGuest.StartAsync(new() { GuestOS = EmbeddedGuestOS.Windows, TimeProvider = clock }, clock);
        var scope = guest.Scope();
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        clock.Advance(TimeSpan.FromSeconds(seconds));
        var outcome = Assert.Single(await scope.ThawAsync(hasSucceeded: true));
        Assert.Equal((result, TimeSpan.FromSeconds(seconds)), (outcome.Result, outcome.Duration));
        Assert.False(guest.Agent.IsFrozen);
    }

    [Fact]
    public async Task A_guest_without_shadow_copies_is_neither_frozen_nor_thawed()
    {
        static JsonNode? Refuse(JsonElement arguments) => throw new EmbeddedCommandException("fsfreeze not possible as VSS failed to initialize");
        using var guest = await FrozenGuest.StartAsync(new()
        {
            GuestOS = EmbeddedGuestOS.Windows, Commands = { [Freeze] = Refuse, [Thaw] = Refuse, ["guest-fsfreeze-status"] = Refuse },
        });

        var failure = Assert.Single(await guest.Scope().FreezeAsync(TestEnd));
        failure.Error.ShouldBe(ErrorCatalogue.FreezeNotSupported);
        Assert.Contains("VSS failed to initialize", failure.Error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Freeze, guest.Agent.Requests);
        await guest.Session.ThawAsync(cancellationToken: TestEnd).FailsWith(ErrorCatalogue.FreezeNotSupported);
    }

    [Theory]
    [InlineData(EmbeddedGuestOS.Linux, null)]
    [InlineData(EmbeddedGuestOS.Windows, 10)]
    public async Task How_long_a_guest_stays_frozen_is_known_before(EmbeddedGuestOS system, int? seconds)
    {
        using var guest = await FrozenGuest.StartAsync(new() { GuestOS = system });
        Assert.Equal(seconds, (await guest.Session.GetFreezeLimitAsync(cancellationToken: TestEnd))?.TotalSeconds);
    }

    [Fact]
    public async Task A_thaw_that_reports_a_failure_is_not_consistent_and_says_what_the_agent_says()
    {
        var isFrozen = false;
        using var guest = await FrozenGuest.StartAsync(new()
        {
            Commands =
            {
                [Freeze] = _ => { isFrozen = true; return 1; },
                ["guest-fsfreeze-status"] = _ => isFrozen ? "frozen" : "thawed",
                [Thaw] = _ => { isFrozen = false; throw new EmbeddedCommandException("fsfreeze hook has failed with status 3"); },
            },
        });
        var scope = guest.Scope();
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        var outcome = Assert.Single(await scope.ThawAsync(hasSucceeded: true));
        Assert.Equal(FreezeResult.ThawFailed, outcome.Result);
        Assert.Contains("status 3", outcome.Error!.ShouldBe(ErrorCatalogue.ThawFailed).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_thaw_that_fails_while_the_guest_stays_frozen_is_tried_again()
    {
        var (frozen, failures) = (0, 2);
        using var guest = await FrozenGuest.StartAsync(new()
        {
            Commands =
            {
                [Freeze] = _ => frozen = 1,
                ["guest-fsfreeze-status"] = _ => frozen > 0 ? "frozen" : "thawed",
                [Thaw] = _ => failures-- > 0
                    ? throw new EmbeddedCommandException("failed to list mounts")
                    : Interlocked.Exchange(ref frozen, 0),
            },
        });
        var scope = guest.Scope();
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        var outcome = Assert.Single(await scope.ThawAsync(hasSucceeded: true));
        Assert.Equal((FreezeResult.Consistent, 1), (outcome.Result, outcome.ThawedCount));
    }

    [Fact]
    public async Task An_agent_that_is_gone_leaves_the_guest_frozen_loudly_and_finds_a_thaw_when_it_comes_back()
    {
        using var guest = await FrozenGuest.StartAsync();
        var scope = guest.Scope(new() { SettleTime = TimeSpan.FromMilliseconds(500) });
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        guest.Agent.Kill();
        var outcome = Assert.Single(await scope.ThawAsync(hasSucceeded: true));
        Assert.Equal((FreezeResult.LeftFrozen, false), (outcome.Result, outcome.IsConsistent));
        Assert.Contains("was left in the channel", outcome.Error!.ShouldBe(ErrorCatalogue.GuestLeftFrozen).Message, StringComparison.Ordinal);
        Assert.True(guest.Session.IsFrozen);

        guest.Session.Dispose();
        guest.Agent.Start();
        Assert.True(SpinWait.SpinUntil(() => !guest.Agent.IsFrozen, TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public async Task A_freeze_given_up_while_the_agent_is_busy_with_it_finds_a_thaw_behind_it()
    {
        using var guest = await FrozenGuest.StartAsync(new() { CommandDelays = { [Freeze] = TimeSpan.FromSeconds(3) } });
        using var caller = new CancellationTokenSource();
        var freezing = guest.Scope(new() { SettleTime = TimeSpan.FromMilliseconds(300) }).FreezeAsync(caller.Token);
        Assert.True(SpinWait.SpinUntil(() => guest.Agent.Requests.Contains(Freeze), TimeSpan.FromSeconds(60)));
        await caller.CancelAsync();
        Assert.Single(await freezing.OrHang()).Error.ShouldBe(ErrorCatalogue.GuestLeftFrozen);
        Assert.True(SpinWait.SpinUntil(() => guest.Agent.Requests.Contains(Thaw), TimeSpan.FromSeconds(60)));
        Assert.True(SpinWait.SpinUntil(() => !guest.Agent.IsFrozen, TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public async Task Trouble_at_200_random_moments_leaves_nothing_frozen_and_nothing_falsely_consistent()
    {
        var random = new Random(19690720);
        var results = new HashSet<FreezeResult>();
        for (var i = 0; i < 200; i++)
        {
            using var guest = await FrozenGuest.StartAsync(new()
            {
                EchoesRequestIds = random.Next(4) > 0,
                Faults = new() { LostReplies = { [random.Next(2) == 0 ? Freeze : Thaw] = random.Next(2) } },
            });
            var isThawedByOthers = random.Next(4) == 0;
            var isKilled = random.Next(2) == 0;
            void Strike()
            {
                if (isKilled)
                {
                    guest.Agent.Kill();
                    guest.Agent.Start();
                }
                else
                {
                    guest.Cut();
                }
            }

            // Behind one of the freeze's steps; where that has fewer, behind the freeze.
            var left = random.Next(1, 16);
            var limit = TimeSpan.FromMilliseconds(random.Next(2) == 0 ? random.Next(1, 40) : 0);
            var scope = guest.Scope(new() { MaximumTime = limit }, Briefly with
            {
                Trace = _ =>
                {
                    if (Interlocked.Decrement(ref left) == 0)
                    {
                        Strike();
                    }
                },
            });
            var failures = await scope.FreezeAsync(TestEnd).OrHang();
            if (Interlocked.Exchange(ref left, 0) > 0)
            {
                Strike();
            }

            if (failures.Count == 0 && isThawedByOthers)
            {
                await ThawBehindItsBackAsync(guest);
            }

            var wasFrozen = guest.Agent.IsFrozen;
            foreach (var outcome in await scope.ThawAsync(hasSucceeded: true).OrHang())
            {
                Assert.NotEqual(FreezeResult.LeftFrozen, outcome.Result);
                Assert.True(wasFrozen || !outcome.IsConsistent, $"{i}: {outcome.Result}");
                results.Add(outcome.Result);
            }

            Assert.False(guest.Agent.IsFrozen, $"{i}");
        }

        // It came to all that it can come to; the time limit is as quick as this machine.
        Assert.Superset(
            new HashSet<FreezeResult> { FreezeResult.Consistent, FreezeResult.ThawedEarly, FreezeResult.ThawReplyLost }, results);
    }

    private static async Task ThawBehindItsBackAsync(FrozenGuest guest)
    {
        try
        {
            await guest.Session.InvokeAsync(new GuestAgentRequest(Thaw), Briefly, TestEnd);
        }
        catch (GuestAgentException)
        {
            // The trouble hit this: whether the guest is thawed is looked at in the guest itself.
        }
    }
}
