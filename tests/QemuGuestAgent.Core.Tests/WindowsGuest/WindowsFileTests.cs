using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.WindowsGuest;

/// <summary>Files of a Windows guest: whole or not at all, both ways.</summary>
public sealed partial class WindowsFileTests(WindowsGuestFixture fixture) : WindowsGuestTest(fixture)
{
    private const int Piece = 64 << 10;

    private readonly DirectoryInfo _here = Directory.CreateTempSubdirectory("windows-files-");
    private readonly List<ItemCopy> _copies = [];
    private readonly List<string> _warnings = [];
    private readonly List<GuestAgentException> _failures = [];
    private long _firstHandle;

    private ItemCopyOptions Options => new()
    {
        Copied = copy =>
        {
            _copies.Add(copy);
            return Task.CompletedTask;
        },
        Warn = _warnings.Add,
        Failed = _failures.Add,
    };

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await using var first = await OpenAsync("NUL", "r");
        _firstHandle = first.Handle;
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _here.Delete(recursive: true);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(8 << 20)]
    public async Task A_file_goes_there_and_comes_back_with_its_time(int length)
    {
        var source = Make("ünï 漢字", Bytes(length));
        var time = new DateTime(2020, 2, 3, 4, 5, 6, DateTimeKind.Utc).AddTicks(1234567);
        File.SetLastWriteTimeUtc(source, time);

        await SendAsync(source, Folder);
        await ReceiveAsync($@"{Folder}\ünï 漢字", Here("back"));

        Assert.Empty(_failures);
        Assert.Empty(_warnings);
        Assert.All(_copies, copy => Assert.Equal((true, CopyVerification.Sha256), (copy.Atomic, copy.Verified)));
        AssertSame(source, There("ünï 漢字"));
        AssertSame(source, Here("back"));
        Assert.Equal(time, File.GetLastWriteTimeUtc(There("ünï 漢字")));
        Assert.Equal(time, File.GetLastWriteTimeUtc(Here("back")));
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task What_is_there_stays_without_force_and_keeps_its_attributes_with_it()
    {
        await File.WriteAllTextAsync(There("file"), "old", TestEnd);
        await RunAsync("attrib", "+h", $@"{Folder}\file");
        await RunAsync("attrib", "+r", $@"{Folder}\file");
        var attributes = await RunAsync("attrib", $@"{Folder}\file");
        Assert.Matches("H *R ", attributes);
        var source = Make("file", Bytes(1000));

        await SendAsync(source, Folder);
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.ItemExists);
        Assert.Equal("old", await File.ReadAllTextAsync(There("file"), TestEnd));

        await SendAsync(source, Folder, Options with { Force = true });
        AssertSame(source, There("file"));
        Assert.Equal(attributes, await RunAsync("attrib", $@"{Folder}\file"));
        Assert.Empty(_warnings);
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_folder_is_not_replaced()
    {
        Directory.CreateDirectory(There("file/file"));
        await SendAsync(Make("file", Bytes(10)), $@"{Folder}\file", Options with { Force = true });
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.ItemIsFolder);
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_target_that_somebody_has_open_stays_as_it_is()
    {
        await File.WriteAllTextAsync(There("file"), "old", TestEnd);
        await using (await OpenAsync($@"{Folder}\file", "r"))
        {
            await SendAsync(Make("file", Bytes(10)), Folder, Options with { Force = true });
        }

        Assert.Single(_failures).ShouldBe(ErrorCatalogue.GuestFileInUse);
        Assert.Equal("old", await File.ReadAllTextAsync(There("file"), TestEnd));
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_source_that_somebody_writes_to_says_so()
    {
        await File.WriteAllTextAsync(There("log"), "line", TestEnd);
        await using (await OpenAsync($@"{Folder}\log", "r+"))
        {
            await ReceiveAsync($@"{Folder}\log", Here("log"));
        }

        Assert.Single(_failures).ShouldBe(ErrorCatalogue.GuestFileInUse);
        Assert.Empty(_here.EnumerateFileSystemInfos());
        _failures.Clear();
        await ReceiveAsync($@"{Folder}\log", Here("log"));
        Assert.Empty(_failures);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_copy_that_was_broken_off_goes_on(bool sends)
    {
        var source = Make("source", Bytes(30 * Piece));
        if (!sends)
        {
            File.Copy(source, There("file"));
        }

        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(TestEnd))
        {
            var options = Options with
            {
                Resume = true,
                PieceBytes = Piece,
                Progress = told => _ = told.Bytes >= 10 * Piece ? stop.CancelAsync() : null,
            };
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => CopyAsync(sends, source, options, stop.Token));
        }

        await CopyAsync(sends, source, Options with { Resume = true }, TestEnd);
        Assert.Empty(_failures);
        Assert.InRange(Assert.Single(_copies).Resumed, 5 * Piece, 20 * Piece);
        AssertSame(source, sends ? There("file") : Here("file"));
        await AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public async Task After_a_host_or_an_agent_that_was_killed_the_next_copy_leaves_nothing_open(bool sends, bool isAgent)
    {
        var source = Make("source", Bytes(30 * Piece));
        if (!sends)
        {
            File.Copy(source, There("file"));
        }

        var cut = new CutEndpoint(Guest.Endpoint);
        Session.Dispose();
        Session = await GuestAgentSession.ConnectAsync(cut, null, null, TestEnd);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestEnd);
        var options = Options with
        {
            PieceBytes = Piece,
            Progress = told =>
            {
                // An agent that is gone answers nothing: somebody stops the copy then.
                if (told.Bytes == 10 * Piece)
                {
                    (isAgent ? Guest.KillAgentAsync() : Task.Run(cut.Cut, TestEnd)).Wait(TestEnd);
                    stop.CancelAfter(isAgent ? TimeSpan.Zero : Timeout.InfiniteTimeSpan);
                }
            },
        };
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => CopyAsync(sends, source, options, stop.Token));
        Assert.True(isAgent ? failure is OperationCanceledException : failure is GuestAgentException);
        Session.Dispose();
        if (isAgent)
        {
            await Guest.StartAgentAsync();
        }

        Session = await Guest.ConnectAsync();
        await CopyAsync(sends, source, Options, TestEnd);

        Assert.Empty(_failures);
        AssertSame(source, sends ? There("file") : Here("file"));
        AssertNoPartLeft();

        // Nobody has it open: else it could not be opened to be written.
        await using var file = await OpenAsync($@"{Folder}\file", "r+");
    }

    private async Task<string> RunAsync(string program, params string[] arguments)
    {
        var result = await WindowsMachine.RunAsync(Session, program, arguments);
        Assert.Equal(0, result.ExitCode);
        return result.StandardOutput;
    }

    private Task<GuestFile> OpenAsync(string path, string mode) =>
        GuestFile.OpenAsync(Session, path, mode, new OperationTime(TimeProvider.System, null), TestEnd);

    private Task CopyAsync(
        bool sends, string source, ItemCopyOptions options, CancellationToken cancellationToken) => sends
        ? GuestItems.SendAsync(Session, [source], $@"{Folder}\file", options, null, cancellationToken).OrHang()
        : GuestItems.ReceiveAsync(Session, [$@"{Folder}\file"], true, Here("file"), options, null, cancellationToken).OrHang();

    private Task SendAsync(string source, string destination, ItemCopyOptions? options = null) =>
        GuestItems.SendAsync(Session, [source], destination, options ?? Options, null, TestEnd).OrHang();

    private Task ReceiveAsync(string source, string destination, ItemCopyOptions? options = null, bool isLiteral = true) =>
        GuestItems.ReceiveAsync(Session, [source], isLiteral, destination, options ?? Options, null, TestEnd).OrHang();

    // No part, and no handle of the agent's but those that the session keeps.
    private async Task AssertNothingLeftAsync()
    {
        AssertNoPartLeft();
        var next = await OpenAsync("NUL", "r");
        await next.DisposeAsync();
        for (var handle = _firstHandle; handle < next.Handle; handle++)
        {
            if (!Session.OpenFiles.Contains(handle))
            {
                await Session.CloseFileAsync(handle, new CallOptions(), TestEnd).FailsWith(ErrorCatalogue.AgentError);
            }
        }
    }

    private void AssertNoPartLeft() => Assert.DoesNotContain(
        Names(There("")).Concat(Names(_here.FullName)), name => name.Contains(PartialName.Suffix, StringComparison.Ordinal));

    private static IEnumerable<string> Names(string folder) =>
        Directory.EnumerateFileSystemEntries(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 });

    private string There(string name) => Guest.HostPath($@"{Folder}\{name}");

    private string Here(string name) => Path.Combine(_here.FullName, name);

    private string Make(string name, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Here(name))!);
        File.WriteAllBytes(Here(name), content);
        return Here(name);
    }

    private static byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static void AssertSame(string expected, string path) =>
        Assert.True(File.ReadAllBytes(expected).AsSpan().SequenceEqual(File.ReadAllBytes(path)), $"'{path}' is not '{expected}'.");

    // A host that is killed says nothing more.
    private sealed class CutEndpoint(GuestAgentEndpoint inner) : GuestAgentEndpoint
    {
        private Stream? _stream;
        private bool _isCut;

        public void Cut()
        {
            _isCut = true;
            _stream!.Dispose();
        }

        public override async Task<Stream> OpenAsync(CancellationToken cancellationToken) =>
            _isCut ? throw new IOException("It is cut.") : _stream = await inner.OpenAsync(cancellationToken);

        public override string ToString() => inner.ToString();
    }
}
