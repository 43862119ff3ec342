using System.Text;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

/// <summary>The content of files of the embedded guest, as lines and as bytes.</summary>
public sealed class GuestContentTests : IAsyncLifetime
{
    private const string Path = "/tmp/file";

    private GuestAgentSession _session = null!;

    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _session =
        await EmbeddedEndpoint.Register($"content-{Guid.NewGuid()}", new EmbeddedGuestAgent(new EmbeddedGuestAgentOptions())).Connect();

    public ValueTask DisposeAsync()
    {
        _session.Dispose();
        return ValueTask.CompletedTask;
    }

    // Shorter than a piece, as long, longer, and longer than the windows that the end is looked for in.
    [Theory]
    [InlineData(0, 10)]
    [InlineData(3, 10)]
    [InlineData(1024, 63)]
    [InlineData(4096, 31)]
    [InlineData(10_000, 100)]
    public async Task Any_number_of_lines_at_the_start_and_at_the_end_is_had(int count, int length)
    {
        var lines = Enumerable.Range(0, count).Select(i => $"{i} ".PadRight(length, 'ä')).ToList();
        foreach (var (encoding, end) in new (Encoding, string)[] { (new UTF8Encoding(false), "\n"), (Encoding.Unicode, "\r\n") })
        {
            await WriteAsync(encoding.GetBytes(string.Concat(lines.Select(line => line + end))));
            Assert.Equal(lines, await ReadAsync(new ContentRange(), encoding));
            foreach (var some in new[] { 0, 1, 2, count / 2, Math.Max(0, count - 1), count, count + 1 })
            {
                Assert.Equal(lines.Take(some), await ReadAsync(new ContentRange(TotalCount: some), encoding));
                Assert.Equal(lines.Skip(count - some), await ReadAsync(new ContentRange(Tail: some), encoding));
            }
        }
    }

    [Fact]
    public async Task A_last_line_without_an_end_is_a_line()
    {
        await WriteAsync("one\ntwo"u8.ToArray());
        Assert.Equal(["one", "two"], await ReadAsync(new ContentRange()));
        Assert.Equal(["two"], await ReadAsync(new ContentRange(Tail: 1)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(200_000)]
    public async Task Any_number_of_bytes_at_the_start_and_at_the_end_is_had(int length)
    {
        var content = new byte[length];
        new Random(length).NextBytes(content);
        await WriteAsync(content);
        Assert.Equal(content, await ReadBytesAsync(new ContentRange()));
        foreach (var some in new[] { 0, 1, length / 2, length, length + 1 })
        {
            Assert.Equal(content.Take(some), await ReadBytesAsync(new ContentRange(TotalCount: some)));
            Assert.Equal(content.TakeLast(some), await ReadBytesAsync(new ContentRange(Tail: some)));
        }
    }

    [Fact]
    public async Task What_is_written_later_comes_to_who_waits_also_after_the_file_was_emptied()
    {
        await WriteAsync("one\ntwo\n"u8.ToArray());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestEnd);
        var got = new List<string>();
        var reading = GuestContent.ReadLinesAsync(
            _session, Path, null, new ContentRange(Tail: 1, Waits: true),
            async lines =>
            {
                got.AddRange(lines);
                await (got[^1] switch
                {
                    "two" => WriteAsync("three, in "u8.ToArray(), appends: true),
                    "three, in two parts" => WriteAsync("new\n"u8.ToArray()),
                    _ => stop.CancelAsync(),
                });
                if (got[^1] == "two")
                {
                    await WriteAsync("two parts\n"u8.ToArray(), appends: true);
                }
            },
            new CallOptions { Timeout = TimeSpan.Zero }, stop.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.OrHang());
        Assert.Equal(["two", "three, in two parts", "new"], got);
    }

    [Fact]
    public async Task Waiting_ends_with_its_time()
    {
        await WriteAsync("one\n"u8.ToArray());
        var got = new List<string>();
        await GuestContent.ReadLinesAsync(
            _session, Path, null, new ContentRange(Waits: true), lines =>
            {
                got.AddRange(lines);
                return Task.CompletedTask;
            },
            new CallOptions { Timeout = TimeSpan.FromMilliseconds(300) }, TestEnd).OrHang();
        Assert.Equal(["one"], got);
    }

    [Fact]
    public async Task Paths_that_begin_nowhere_and_files_that_are_not_there_are_errors()
    {
        await GuestContent.ReadBytesAsync(_session, "file", new ContentRange(), _ => Task.CompletedTask, null, TestEnd)
            .FailsWith(ErrorCatalogue.GuestPathNotRooted);
        await GuestContent.ReadBytesAsync(_session, "/none", new ContentRange(), _ => Task.CompletedTask, null, TestEnd)
            .FailsWith(ErrorCatalogue.GuestFileNotOpened);
        await GuestContent.ReadBytesAsync(_session, "/tmp", new ContentRange(), _ => Task.CompletedTask, null, TestEnd)
            .FailsWith(ErrorCatalogue.GuestFileNotRead);
        await GuestContent.FindAsync(_session, "/tmp/*", null, TestEnd).FailsWith(ErrorCatalogue.GuestToolsMissing);
    }

    private Task WriteAsync(byte[] content, bool appends = false) =>
        GuestContent.WriteAsync(_session, Path, content, [], appends, _ => { }, null, TestEnd);

    private async Task<List<string>> ReadAsync(ContentRange range, Encoding? encoding = null)
    {
        var lines = new List<string>();
        await GuestContent.ReadLinesAsync(_session, Path, encoding, range, some =>
        {
            lines.AddRange(some);
            return Task.CompletedTask;
        }, null, TestEnd).OrHang();
        return lines;
    }

    private async Task<byte[]> ReadBytesAsync(ContentRange range)
    {
        var bytes = new List<byte>();
        await GuestContent.ReadBytesAsync(_session, Path, range, piece =>
        {
            bytes.AddRange(piece.ToArray());
            return Task.CompletedTask;
        }, null, TestEnd).OrHang();
        return [.. bytes];
    }
}
