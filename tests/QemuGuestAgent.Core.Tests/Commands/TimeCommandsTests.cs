using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;

namespace QemuGuestAgent.Core.Tests.Commands;

public sealed class TimeCommandsTests
{
    private static readonly TimeSpan Ahead = TimeSpan.FromSeconds(10);

    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_offset_has_half_of_the_round_trip_taken_out()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Session.GetTimeAsync(cancellationToken: TestEnd);
        await AnswerAsync(dialogue, there: TimeSpan.FromMilliseconds(200), back: TimeSpan.FromMilliseconds(200));
        var time = await asking.OrHang();
        Assert.Equal(Ahead, time.Offset);
        Assert.Equal(TimeSpan.FromMilliseconds(400), time.RoundTrip);
        Assert.Equal(DateTimeKind.Utc, time.Time.Kind);
        Assert.Equal(dialogue.Time.GetUtcNow().UtcDateTime + Ahead - TimeSpan.FromMilliseconds(200), time.Time);
    }

    [Fact]
    public async Task A_one_sided_delay_shifts_the_offset_by_no_more_than_half_of_the_round_trip()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Session.GetTimeAsync(cancellationToken: TestEnd);
        await AnswerAsync(dialogue, there: TimeSpan.FromMilliseconds(400), back: TimeSpan.Zero);
        var time = await asking.OrHang();
        Assert.Equal(time.RoundTrip.TotalSeconds / 2, (time.Offset - Ahead).TotalSeconds, precision: 6);
    }

    [Fact]
    public async Task A_synchronisation_before_the_question_is_no_part_of_its_round_trip()
    {
        using var dialogue = await Dialogue.StartAsync();
        await dialogue.TimeOutAsync("guest-ping");
        var asking = dialogue.Session.GetTimeAsync(cancellationToken: TestEnd);
        var sync = await dialogue.Peer.ReadAsync();
        dialogue.Time.Advance(TimeSpan.FromSeconds(5));
        dialogue.Peer.Write(AgentScript.Sync(sync));
        await dialogue.Peer.AnswerProbeAsync();
        await AnswerAsync(dialogue, there: TimeSpan.Zero, back: TimeSpan.Zero);
        var time = await asking.OrHang();
        Assert.Equal((Ahead, TimeSpan.Zero), (time.Offset, time.RoundTrip));
    }

    [Theory]
    [InlineData("9223372036854775807", "2262-04-11 23:47:16Z")]
    [InlineData("-9223372036854775808", "1677-09-21 00:12:43Z")]
    [InlineData("0", "1970-01-01 00:00:00Z")]
    public async Task Any_number_is_a_time(string json, string text) =>
        Assert.Equal(text, (await Answers.AskAsync(TimeCommands.GetTimeAsync, "guest-get-time", json)).ToString());

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("\"now\"")]
    [InlineData("1.5e300")]
    [InlineData("18446744073709551615")]
    public async Task What_is_no_time_is_an_error_of_the_reply(string json) =>
        await Answers.AskAsync(TimeCommands.GetTimeAsync, "guest-get-time", json).FailsWith(ErrorCatalogue.ReplyUnexpected);

    [Theory]
    [InlineData("""{"zone": "UTC", "offset": 0}""", "UTC (+00:00)")]
    [InlineData("""{"zone": "CEST", "offset": 7200}""", "CEST (+02:00)")]
    [InlineData("""{"zone": "W. Europe Standard Time", "offset": 3600}""", "W. Europe Standard Time (+01:00)")]
    [InlineData("""{"offset": -12600}""", "-03:30")]
    [InlineData("""{"zone": "X", "offset": 1e18}""", "X")]
    [InlineData("{}", "")]
    public async Task Time_zones(string json, string text) =>
        Assert.Equal(text, (await Answers.AskAsync(TimeCommands.GetTimeZoneAsync, "guest-get-timezone", json)).ToString());

    [Theory]
    [InlineData("W. Europe Standard Time", "W. Europe Standard Time", "Europe/Berlin")]
    [InlineData("W. Europe Daylight Time", "W. Europe Standard Time", "Europe/Berlin")]
    [InlineData("Greenwich Standard Time", "Greenwich Standard Time", "Atlantic/Reykjavik")]
    [InlineData("Coordinated Universal Time", "UTC", "Etc/UTC")]
    [InlineData("UTC", "UTC", "Etc/UTC")]

    // An abbreviation is of many zones, and a name in another language of none.
    [InlineData("CET", null, null)]
    [InlineData("Mitteleurop\u00E4ische Zeit", null, null)]
    [InlineData(null, null, null)]
    public void A_zone_has_its_names_in_Windows_and_elsewhere(string? name, string? windowsId, string? ianaId)
    {
        var zone = new GuestTimeZone(name, TimeSpan.Zero);

        // .NET Framework has no table of them.
        Assert.Equal(Environment.Version.Major > 4 ? (windowsId, ianaId) : (null, null), (zone.WindowsId, zone.IanaId));
    }

    // The guest looks at its clock when the request has arrived.
    private static async Task AnswerAsync(Dialogue dialogue, TimeSpan there, TimeSpan back)
    {
        var request = await dialogue.Peer.ReadAsync();
        Assert.Equal("guest-get-time", request.Command);
        dialogue.Time.Advance(there);
        var guestTime = dialogue.Time.GetUtcNow() + Ahead;
        dialogue.Time.Advance(back);
        dialogue.Peer.Write(AgentScript.Return(request, $"{(guestTime - DateTimeOffset.UnixEpoch).Ticks * 100}"));
    }
}
