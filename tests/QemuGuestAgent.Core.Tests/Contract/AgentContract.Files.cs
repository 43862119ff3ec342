using System.Text;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Tests.Contract;

// Bytes and texts go there and come back as they were.
public abstract partial class AgentContract
{
    [Theory]
    [InlineData("plain")]
    [InlineData("ünïcode äöü ß é")]
    [InlineData("漢字 かな 한글 עברית")]
    [InlineData("emoji 😀 👩‍👩‍👧 𝄞")]
    [InlineData("quotes \" ' and \\ back\u0009tab")]
    [InlineData("C1 \u0085, BOM \uFEFF, private \uE000, del \u007F")]
    public async Task Texts_of_any_script_go_there_and_come_back(string text)
    {
        Assert.SkipWhen(Peer.IsWindows && text.Contains('"'), "Windows forbids such a name.");
        using var session = await Peer.ConnectAsync();
        var path = Peer.GuestPath(text);
        var handle = await OpenAsync(session, path, "w");
        await WriteAsync(session, handle, Encoding.UTF8.GetBytes(text));
        await CloseAsync(session, handle);

        handle = await OpenAsync(session, path, "r");

        Assert.Equal(text, Encoding.UTF8.GetString((await ReadAsync(session, handle, 4096)).Bytes));
        await CloseAsync(session, handle);
    }

    [Theory]
    [InlineData(0xFFFE)]
    [InlineData(0xFDD0)]
    [InlineData(0x1FFFF)]
    public async Task A_text_that_the_agent_cannot_read_is_refused_before_it_is_sent(int noncharacter)
    {
        await using (var client = await Peer.ConnectRawAsync())
        {
            var escaped = string.Concat(char.ConvertFromUtf32(noncharacter).Select(c => $"\\u{(int)c:X4}"));
            await client.SendAsync($$$"""{"execute":"guest-file-open","arguments":{"path":"{{{escaped}}}"},"id":3}""" + "\n");
            var reply = await client.ReadLineAsync();
            Assert.Contains("JSON parse error", reply);
            Assert.DoesNotContain("\"id\"", reply);
        }

        using var session = await Peer.ConnectAsync();
        var path = Peer.GuestPath(char.ConvertFromUtf32(noncharacter));
        await AssertFailsAsync("ArgumentTextInvalid", () => OpenAsync(session, path, "w"));
        await AssertServesAsync(session);
    }

    [Fact]
    public async Task A_file_is_found_under_the_very_name_that_it_was_made_with()
    {
        using var session = await Peer.ConnectAsync();
        await CloseAsync(session, await OpenAsync(session, Peer.GuestPath("ünïcode 😀"), "w"));

        var other = Peer.GuestPath("unicode 😀");
        var error = await AssertRefusedAsync(session, "AgentError", "guest-file-open", new { path = other });

        Assert.Equal("GenericError", error.AgentErrorClass);
    }

    [Fact]
    public async Task Every_byte_goes_there_and_comes_back()
    {
        using var session = await Peer.ConnectAsync();
        var bytes = Enumerable.Range(0, 256).Select(b => (byte)b).ToArray();
        var handle = await OpenAsync(session, Peer.GuestPath("bytes"), "w+");
        await WriteAsync(session, handle, bytes);
        await SeekAsync(session, handle, 0);

        var (read, _) = await ReadAsync(session, handle, 4096);

        Assert.Equal(bytes, read);
        var (rest, isEnd) = await ReadAsync(session, handle, 4096);
        Assert.Empty(rest);
        Assert.True(isEnd);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4095)]
    [InlineData(65536)]
    [InlineData((1 << 20) + 1)]
    [InlineData(6 << 20)]
    public async Task Requests_and_replies_of_any_length_arrive_whole(int length)
    {
        using var session = await Peer.ConnectAsync();
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        var handle = await OpenAsync(session, Peer.GuestPath("large"), "w+");
        await WriteAsync(session, handle, bytes);
        await SeekAsync(session, handle, 0);

        var (read, _) = await ReadAsync(session, handle, length);

        Assert.True(bytes.AsSpan().SequenceEqual(read), $"{read.Length} bytes came back, or others than were sent.");
        Assert.Equal(GuestAgentSessionState.Ready, session.State);
    }

    // An agent on a serial port loses the answer when it has read a request up to its last brace and an LF is left behind it.
    [Theory]
    [InlineData(4096)]
    [InlineData(1 << 20)]
    public async Task Requests_that_end_where_the_agent_s_reads_end_are_answered(int length)
    {
        using var session = await Peer.ConnectAsync();
        var plain = new RequestBuffer();
        RequestWriter.Write(plain, "guest-ping", json => json.WriteRawValue("{}"), long.MaxValue);
        var padding = "{" + new string(' ', length - (plain.Written.Length - 1)) + "}";
        var request = new GuestAgentRequest("guest-ping", json => json.WriteRawValue(padding));

        // Most ids have as many digits as the largest, and not every loss shows.
        for (var call = 0; call < 60; call++)
        {
            await session.InvokeAsync(request, new CallOptions { Timeout = TimeSpan.FromSeconds(20) }, TestEnd);
        }
    }

    [Fact]
    public async Task A_closed_handle_is_refused()
    {
        using var session = await Peer.ConnectAsync();
        var handle = await OpenAsync(session, Peer.GuestPath("closed"), "w");
        await CloseAsync(session, handle);

        await AssertRefusedAsync(session, "AgentError", "guest-file-read", new { handle });
    }

    [Fact]
    public async Task A_handle_outlives_the_client_that_opened_it()
    {
        var handle = await MakeFileAsync("still open"u8.ToArray());

        using var session = await Peer.ConnectAsync();

        Assert.Equal("still open"u8.ToArray(), (await ReadAsync(session, handle, 4096)).Bytes);
    }

    // A file in the guest, open at its beginning.
    private async Task<long> MakeFileAsync(byte[] content)
    {
        using var session = await Peer.ConnectAsync();
        var handle = await OpenAsync(session, Peer.GuestPath("made"), "w+");
        await WriteAsync(session, handle, content);
        await SeekAsync(session, handle, 0);
        return handle;
    }

    private static async Task<long> OpenAsync(GuestAgentSession session, string path, string mode) =>
        (await InvokeAsync(session, "guest-file-open", new { path, mode })).GetInt64();

    private static async Task CloseAsync(GuestAgentSession session, long handle) =>
        Assert.Equal("{}", (await InvokeAsync(session, "guest-file-close", new { handle })).GetRawText());

    private static async Task WriteAsync(GuestAgentSession session, long handle, byte[] bytes)
    {
        var reply = await InvokeAsync(session, "guest-file-write", new { handle, buf_b64 = bytes });
        Assert.Equal(bytes.Length, reply.GetProperty("count").GetInt64());
    }

    private static async Task SeekAsync(GuestAgentSession session, long handle, long offset)
    {
        var reply = await InvokeAsync(session, "guest-file-seek", new { handle, offset, whence = "set" });
        Assert.Equal(offset, reply.GetProperty("position").GetInt64());
    }

    private static async Task<(byte[] Bytes, bool AtEnd)> ReadAsync(GuestAgentSession session, long handle, long count)
    {
        var reply = await InvokeAsync(session, "guest-file-read", new { handle, count });
        var bytes = reply.GetProperty("buf-b64").GetBytesFromBase64();
        Assert.Equal(bytes.Length, reply.GetProperty("count").GetInt64());
        return (bytes, reply.GetProperty("eof").GetBoolean());
    }
}
