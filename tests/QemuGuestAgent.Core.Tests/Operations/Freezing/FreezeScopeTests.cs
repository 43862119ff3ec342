using Microsoft.Extensions.Time.Testing;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Operations.Freezing;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Freezing;

/// <summary>Guests are frozen together, and thawed whatever happens.</summary>
public sealed class FreezeScopeTests
{
    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_guest_is_frozen_for_the_work_and_thawed_after_it()
    {
        using var guest = await FrozenGuest.StartAsync();
        var scope = guest.Scope();
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        Assert.True(guest.Agent.IsFrozen);
        Assert.True(guest.Session.IsFrozen);

        var outcome = Assert.Single(await scope.ThawAsync(hasSucceeded: true));
        Assert.Equal((FreezeResult.Consistent, 2, 2, null), (outcome.Result, outcome.FrozenCount, outcome.ThawedCount, outcome.Error));
        Assert.True(outcome.IsConsistent);
        Assert.Same(guest.Session, outcome.Session);
        Assert.InRange(outcome.Duration, TimeSpan.FromTicks(1), TimeSpan.FromMinutes(1));
        Assert.False(guest.Agent.IsFrozen);
        Assert.False(guest.Session.IsFrozen);
        Assert.False(scope.Interruption.IsCompleted);
        Assert.Same(outcome, Assert.Single(await scope.ThawAsync(hasSucceeded: false)));
    }

    [Fact]
    public async Task Work_that_failed_is_not_consistent()
    {
        using var guest = await FrozenGuest.StartAsync();
        var scope = guest.Scope();
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        var outcome = Assert.Single(await scope.ThawAsync(hasSucceeded: false));
        Assert.Equal((FreezeResult.WorkFailed, false, null), (outcome.Result, outcome.IsConsistent, outcome.Error));
        Assert.False(guest.Agent.IsFrozen);
    }

    [Fact]
    public async Task Only_some_file_systems_are_frozen_where_only_those_are_asked_for()
    {
        using var guest = await FrozenGuest.StartAsync();
        var scope = guest.Scope(new() { MountPoints = ["/boot"] });
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        var outcome = Assert.Single(await scope.ThawAsync(hasSucceeded: true));
        Assert.Equal((FreezeResult.Consistent, 1), (outcome.Result, outcome.FrozenCount));
    }

    [Fact]
    public async Task Nothing_frozen_is_an_error_and_what_hooks_did_is_undone()
    {
        using var guest = await FrozenGuest.StartAsync();
        var scope = guest.Scope(new() { MountPoints = ["/nowhere"] });
        var failure = Assert.Single(await scope.FreezeAsync(TestEnd));
        failure.Error.ShouldBe(ErrorCatalogue.NothingFrozen);
        Assert.Equal("guest-fsfreeze-thaw", guest.Agent.Requests[^1]);
        Assert.False(guest.Session.IsFrozen);
    }

    [Fact]
    public async Task A_mount_point_that_is_no_text_is_refused_before_anything_is_sent()
    {
        using var guest = await FrozenGuest.StartAsync();
        Assert.Throws<GuestAgentException>(() => guest.Scope(new() { MountPoints = ["/\ud800"] })).ShouldBe(ErrorCatalogue.ArgumentTextInvalid);
    }

    [Theory]
    [InlineData("guest-fsfreeze-thaw")]
    [InlineData("guest-info")]
    public async Task What_would_not_thaw_is_not_frozen(string blocked)
    {
        using var guest = await FrozenGuest.StartAsync(new() { BlockedCommands = [blocked] });
        var failure = Assert.Single(await guest.Scope().FreezeAsync(TestEnd));
        failure.Error.ShouldBe(ErrorCatalogue.ThawNotAllowed);
        Assert.DoesNotContain("guest-fsfreeze-freeze", guest.Agent.Requests);
    }

    [Fact]
    public async Task Where_policy_refuses_the_freeze_nothing_is_left()
    {
        using var guest = await FrozenGuest.StartAsync(new() { BlockedCommands = ["guest-fsfreeze-freeze"] });
        var failure = Assert.Single(await guest.Scope().FreezeAsync(TestEnd));
        failure.Error.ShouldBe(ErrorCatalogue.CommandDisabled);
        Assert.DoesNotContain("guest-fsfreeze-thaw", guest.Agent.Requests);
    }

    [Fact]
    public async Task A_guest_that_somebody_else_froze_is_left_to_them()
    {
        using var guest = await FrozenGuest.StartAsync();
        await guest.Session.InvokeAsync(new GuestAgentRequest("guest-fsfreeze-freeze"), cancellationToken: TestEnd);
        var failure = Assert.Single(await guest.Scope().FreezeAsync(TestEnd));
        failure.Error.ShouldBe(ErrorCatalogue.GuestFrozen);
        Assert.True(guest.Agent.IsFrozen);
    }

    [Fact]
    public async Task Ten_guests_of_which_the_seventh_refuses_are_all_thawed()
    {
        var guests = new List<FrozenGuest>();
        for (var i = 1; i <= 10; i++)
        {
            guests.Add(await FrozenGuest.StartAsync(i != 7 ? null : new()
            {
                Commands = { ["guest-fsfreeze-freeze"] = _ => throw new EmbeddedCommandException("failed to freeze /: busy") },
            }));
        }

        var failure = Assert.Single(await FrozenGuest.Scope(guests).FreezeAsync(TestEnd));
        Assert.Same(guests[6].Session, failure.Session);
        failure.Error.ShouldBe(ErrorCatalogue.AgentError);
        Assert.Contains("failed to freeze /: busy", failure.Error.Message, StringComparison.Ordinal);
        Assert.All(guests, guest => Assert.False(guest.Agent.IsFrozen));
        guests.ForEach(guest => guest.Dispose());
    }

    [Fact]
    public async Task Guests_are_not_frozen_where_one_does_not_answer()
    {
        using var well = await FrozenGuest.StartAsync();
        using var dead = await FrozenGuest.StartAsync();
        dead.Agent.Kill();
        var scope = FrozenGuest.Scope([well, dead], call: new() { Timeout = TimeSpan.FromMilliseconds(300) });
        var failure = Assert.Single(await scope.FreezeAsync(TestEnd));
        Assert.Same(dead.Session, failure.Session);
        failure.Error.ShouldBe(ErrorCatalogue.AgentSilent);
        Assert.DoesNotContain("guest-fsfreeze-freeze", well.Agent.Requests);
    }

    [Fact]
    public async Task When_the_time_is_over_the_guests_are_thawed_at_once()
    {
        using var first = await FrozenGuest.StartAsync();
        using var second = await FrozenGuest.StartAsync();
        var scope = FrozenGuest.Scope([first, second], new() { MaximumTime = TimeSpan.FromMilliseconds(100) });
        var failures = await scope.FreezeAsync(TestEnd);
        await scope.Interruption.OrHang();
        Assert.True(SpinWait.SpinUntil(() => !first.Agent.IsFrozen && !second.Agent.IsFrozen, TimeSpan.FromSeconds(60)));
        var outcomes = await scope.ThawAsync(hasSucceeded: true);
        Assert.All(outcomes, outcome => Assert.False(outcome.IsConsistent));
        Assert.All(outcomes, outcome => outcome.Error!.ShouldBe(ErrorCatalogue.FreezeTimeLimit));

        // On a slow machine the time may have been over before all were frozen.
        Assert.All(failures, failure => failure.Error.ShouldBe(ErrorCatalogue.FreezeTimeLimit));
    }

    [Fact]
    public async Task A_freeze_that_takes_longer_than_the_time_is_given_up_and_thawed()
    {
        using var guest = await FrozenGuest.StartAsync(new()
        {
            CommandDelays = { ["guest-fsfreeze-freeze"] = TimeSpan.FromMilliseconds(500) },
        });
        var failure = Assert.Single(await guest.Scope(new() { MaximumTime = TimeSpan.FromMilliseconds(50) }).FreezeAsync(TestEnd));
        failure.Error.ShouldBe(ErrorCatalogue.FreezeTimeLimit);
        Assert.Contains("guest-fsfreeze-freeze", guest.Agent.Requests);
        Assert.False(guest.Agent.IsFrozen);
    }

    [Fact]
    public async Task Who_gives_up_freezing_leaves_no_freeze_that_lands_later()
    {
        using var guest = await FrozenGuest.StartAsync(new()
        {
            CommandDelays = { ["guest-fsfreeze-freeze"] = TimeSpan.FromMilliseconds(500) },
        });
        using var caller = new CancellationTokenSource();
        var freezing = guest.Scope().FreezeAsync(caller.Token);
        Assert.True(SpinWait.SpinUntil(() => guest.Agent.Requests.Contains("guest-fsfreeze-freeze"), TimeSpan.FromSeconds(60)));
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => freezing.OrHang());
        Assert.Equal("guest-fsfreeze-thaw", guest.Agent.Requests[^1]);
        Assert.False(guest.Agent.IsFrozen);
    }

    [Fact]
    public async Task Closing_the_session_thaws_first()
    {
        using var guest = await FrozenGuest.StartAsync();
        using var other = await FrozenGuest.StartAsync();
        var scope = FrozenGuest.Scope([guest, other]);
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        guest.Session.Dispose();
        Assert.False(guest.Agent.IsFrozen);
        Assert.False(other.Agent.IsFrozen);
        await scope.Interruption.OrHang();
        Assert.Equal(GuestAgentSessionState.Closed, guest.Session.State);
        var outcomes = await scope.ThawAsync(hasSucceeded: true);
        Assert.All(outcomes, outcome => Assert.Equal(FreezeResult.SessionClosed, outcome.Result));
    }

    [Fact]
    public async Task Closing_the_session_while_it_freezes_thaws_too()
    {
        using var guest = await FrozenGuest.StartAsync(new()
        {
            CommandDelays = { ["guest-fsfreeze-freeze"] = TimeSpan.FromMilliseconds(300) },
        });
        var freezing = guest.Scope().FreezeAsync(TestEnd);
        Assert.True(SpinWait.SpinUntil(() => guest.Agent.Requests.Contains("guest-fsfreeze-freeze"), TimeSpan.FromSeconds(60)));
        guest.Session.Dispose();
        Assert.False(guest.Agent.IsFrozen);
        Assert.Single(await freezing.OrHang()).Error.ShouldBe(ErrorCatalogue.SessionClosed);
    }

    [Fact]
    public async Task A_closed_session_is_not_frozen()
    {
        using var guest = await FrozenGuest.StartAsync();
        using var other = await FrozenGuest.StartAsync();
        guest.Session.Dispose();
        var failure = Assert.Single(await FrozenGuest.Scope([guest, other]).FreezeAsync(TestEnd));
        Assert.Same(guest.Session, failure.Session);
        failure.Error.ShouldBe(ErrorCatalogue.SessionClosed);
        Assert.DoesNotContain("guest-fsfreeze-freeze", other.Agent.Requests);
    }

    [Fact]
    public async Task A_guest_may_be_left_frozen_and_is_then_left_to_others()
    {
        using var guest = await FrozenGuest.StartAsync();
        var scope = guest.Scope(new() { MaximumTime = TimeSpan.FromHours(1) });
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        Assert.True(scope.TryLeaveFrozen());
        Assert.Empty(await scope.ThawAsync(hasSucceeded: true));
        guest.Session.Dispose();
        Assert.True(guest.Agent.IsFrozen);
    }

    [Fact]
    public async Task A_session_that_is_closed_before_the_freeze_is_an_error_and_nobody_s_cancel()
    {
        // By a clock that stands still it is not answered.
        var clock = new FakeTimeProvider();
        using var guest = await FrozenGuest.StartAsync(
            new() { TimeProvider = clock, CommandDelays = { ["guest-fsfreeze-status"] = TimeSpan.FromMilliseconds(1) } }, clock);
        var freezing = guest.Scope().FreezeAsync(TestEnd);
        Assert.True(SpinWait.SpinUntil(() => guest.Agent.Requests.Contains("guest-fsfreeze-status"), TimeSpan.FromSeconds(60)));
        guest.Session.Dispose();
        Assert.Single(await freezing.OrHang()).Error.ShouldBe(ErrorCatalogue.SessionClosed);
        Assert.False(guest.Agent.IsFrozen);
    }

    [Fact]
    public async Task What_is_thawed_already_cannot_be_left_frozen()
    {
        using var guest = await FrozenGuest.StartAsync();
        var scope = guest.Scope();
        Assert.Empty(await scope.FreezeAsync(TestEnd));
        await scope.ThawAsync(hasSucceeded: true);
        Assert.False(scope.TryLeaveFrozen());
    }

    [Fact]
    public async Task A_file_of_the_guest_counts_as_under_way_while_it_is_open()
    {
        using var guest = await FrozenGuest.StartAsync();
        var time = new OperationTime(guest.Session.Clock, null);
        for (var i = 0; i < 2; i++)
        {
            var file = await GuestFile.OpenAsync(guest.Session, "/tmp/copied", "w", time, TestEnd);
            Assert.Equal(1, guest.Session.OpenFiles.Count);
            await (i == 0 ? file.CompleteAsync(TestEnd) : file.DisposeAsync().AsTask());
            await file.DisposeAsync();
            Assert.Equal(0, guest.Session.OpenFiles.Count);
        }
    }

    [Fact]
    public async Task The_work_given_up_at_200_random_moments_leaves_nothing_frozen_and_nothing_consistent()
    {
        using var guest = await FrozenGuest.StartAsync(new() { ReplyDelay = TimeSpan.FromMilliseconds(1) });
        var random = new Random(20261125);
        var (frozen, givenUp) = (0, 0);
        for (var i = 0; i < 200; i++)
        {
            using var caller = new CancellationTokenSource();

            // Behind one of the steps, of the freeze or the thaw.
            var left = random.Next(1, 20);
            var scope = guest.Scope(call: new()
            {
                Trace = _ =>
                {
                    if (Interlocked.Decrement(ref left) == 0)
                    {
                        caller.Cancel();
                    }
                },
            });
            try
            {
                Assert.Empty(await scope.FreezeAsync(caller.Token).OrHang());
                Assert.True(guest.Agent.IsFrozen);
                frozen++;
            }
            catch (OperationCanceledException)
            {
                Assert.False(guest.Agent.IsFrozen);
                givenUp++;
            }

            var outcomes = await scope.ThawAsync(hasSucceeded: false);
            Assert.All(outcomes, outcome => Assert.False(outcome.IsConsistent));
            Assert.False(guest.Agent.IsFrozen);
        }

        Assert.True(frozen > 20 && givenUp > 20, $"{frozen} were frozen, {givenUp} given up.");
    }
}
