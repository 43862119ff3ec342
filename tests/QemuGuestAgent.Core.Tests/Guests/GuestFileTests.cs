using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;

namespace QemuGuestAgent.Core.Tests.Guests;

/// <summary>What is said of a file that an agent holds open.</summary>
public sealed class GuestFileTests
{
    [Fact]
    public async Task A_handle_that_a_restarted_agent_does_not_know_is_said_to_be_lost()
    {
        using var dialogue = await Dialogue.StartAsync();
        var file = await OpenAsync(dialogue, "/srv/data");
        var reading = file.ReadAsync(new byte[16], 16, CancellationToken.None);
        dialogue.Peer.Write(AgentScript.Error(await dialogue.Peer.ReadAsync(), "handle '1001' has not been found"));
        var error = await reading.FailsWith(ErrorCatalogue.GuestFileLost);
        Assert.Contains("'/srv/data'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_hidden_name_of_a_part_is_not_told()
    {
        using var dialogue = await Dialogue.StartAsync();
        var part = $"/srv/{PartialName.CreateFolder("data.bin")}";
        part += $"/{PartialName.Part(part, 1001)}";
        var file = await OpenAsync(dialogue, part);
        var writing = file.WriteAsync(new byte[16], CancellationToken.None);
        dialogue.Peer.Write(AgentScript.Error(await dialogue.Peer.ReadAsync(), $"failed to write to '{part}': No space left on device"));
        var error = await writing.FailsWith(ErrorCatalogue.GuestFileNotWritten);
        Assert.DoesNotContain("partial", error.Message, StringComparison.Ordinal);
        Assert.Contains("failed to write to '/srv/data.bin'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/srv/data")]
    [InlineData("/srv/.data.partial")]
    [InlineData("/srv/.data.0123456789abcdef.partial.x")]
    public void Other_names_are_told_as_they_are(string path) => Assert.Equal(path, PartialName.Shown(path));

    [Fact]
    public void Of_both_kinds_of_parts_the_file_is_told()
    {
        Assert.Equal("/srv/a.b", PartialName.Shown("/srv/" + PartialName.Create("a.b", 7)));
        Assert.Equal("/srv/a.b", PartialName.Shown($"/srv/{PartialName.CreateFolder("a.b")}/7.0123456789abcdef"));
    }

    private static async Task<GuestFile> OpenAsync(Dialogue dialogue, string path)
    {
        var opening = GuestFile.OpenAsync(dialogue.Session, path, "r+", new OperationTime(dialogue.Time, new CallOptions()), CancellationToken.None);
        await dialogue.Peer.AnswerAsync("guest-file-open", "1001");
        return await opening.OrHang();
    }
}
