using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

// What is replaced keeps what it has.
public abstract partial class CopyTests
{
    // Whether a program of the guest carries ACLs and extended attributes over.
    private protected virtual bool CarriesAttributes => true;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_replaced_keeps_owner_mode_acl_and_attributes(bool sends)
    {
        var (source, target) = MakePair(sends);
        FileState.Decorate(target);
        File.SetUnixFileMode(source, (UnixFileMode)Convert.ToInt32("777", 8));
        var before = FileState.Of(target);
        Assert.Contains("1234:5678 2640 1", before, StringComparison.Ordinal);
        Assert.Contains("system.posix_acl_access=02", before, StringComparison.Ordinal);
        await ReplaceAsync(sends, source, target);
        Assert.Equal(before, FileState.Of(target));
        Assert.Equal(!sends || CarriesAttributes, Assert.Single(_copies).Atomic);
        Assert.Equal(File.GetLastWriteTimeUtc(source), File.GetLastWriteTimeUtc(target), TimeSpan.FromSeconds(1));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_has_no_acl_gets_none_from_its_folder(bool sends)
    {
        var (source, target) = MakePair(sends);
        Assert.Equal(0, Run("chmod", "604", target));
        var before = FileState.Of(target);
        await ReplaceAsync(sends, source, target);
        Assert.Equal(before, FileState.Of(target));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_of_several_names_keeps_them(bool sends)
    {
        var (source, target) = MakePair(sends);
        FileState.Decorate(target);
        Assert.Equal(0, Run("ln", target, target + ".other"));
        var before = FileState.Of(target);
        await ReplaceAsync(sends, source, target);
        Assert.Equal(before, FileState.Of(target));
        AssertSame(File.ReadAllBytes(source), target + ".other");
        Assert.False(Assert.Single(_copies).Atomic);
        Assert.Equal(File.GetLastWriteTimeUtc(source), File.GetLastWriteTimeUtc(target), TimeSpan.FromSeconds(1));
    }

    [Theory]
    [InlineData(true, 900_000, 300_000)]
    [InlineData(true, 4096, 600_000)]
    [InlineData(false, 900_000, 300_000)]
    [InlineData(false, 4096, 600_000)]
    public async Task Where_the_disk_is_too_small_to_write_in_place_what_was_there_is_put_back(bool sends, int before, int after)
    {
        var disk = Directory.CreateDirectory(Path.Combine(sends ? Guest : Local, "disk")).FullName;
        using var mounted = SmallDisk.Mount(disk, "size=1m,mode=755");
        var target = Make(Path.Combine(disk, "file"), Bytes(before));
        File.SetLastWriteTimeUtc(target, Long);
        Assert.Equal(0, Run("ln", target, target + ".other"));
        var source = sends ? MakeLocal("file", Bytes(after, 2)) : MakeGuest("file", Bytes(after, 2));
        await CopyAsync(sends, source, target, Options with { Force = true });
        Assert.Contains(Assert.Single(_failures).ErrorId, new[]
        {
            ErrorCatalogue.GuestFileNotWritten.Id, ErrorCatalogue.LocalFileNotWritten.Id, ErrorCatalogue.ItemTooLarge.Id,
        });
        AssertSame(Bytes(before), target);
        AssertSame(Bytes(before), target + ".other");
        Assert.Equal(Long, File.GetLastWriteTimeUtc(target));
        await AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_broken_off_while_it_is_written_in_place_is_the_old_or_the_new(bool resumes)
    {
        var (source, target) = MakePair(sends: true);
        Assert.Equal(0, Run("ln", target, target + ".other"));
        var (old, young, ends) = (File.ReadAllBytes(target), File.ReadAllBytes(source), 0);
        for (var replies = 1; ends == 0; replies++)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestEnd);
            var left = replies;
            var call = new Core.Session.CallOptions
            {
                Timeout = TimeSpan.Zero,
                Trace = happened =>
                {
                    if (happened.Kind == Core.Session.TraceKind.Received && --left == 0)
                    {
                        stop.Cancel();
                    }
                },
            };
            var error = await Record.ExceptionAsync(() => GuestItems.SendAsync(
                Session, [source], target, Options with { Force = true, Resume = resumes }, call, stop.Token).OrHang());
            ends += error is null ? 1 : 0;
            Assert.Contains(File.ReadAllBytes(target), new[] { old, young });
            Assert.Equal(File.ReadAllBytes(target), File.ReadAllBytes(target + ".other"));
            if (!resumes)
            {
                Assert.Empty(Partials());
            }
        }

        AssertSame(young, target);
        await AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_that_is_mounted_there_is_written_in_place(bool sends)
    {
        var (source, target) = MakePair(sends);
        var real = Make(Agent.GuestPath("real"), Bytes(10));
        FileState.Decorate(real);
        var before = FileState.Of(real);
        Assert.SkipUnless(Run("mount", "--bind", real, target) == 0, "This process may not mount.");
        try
        {
            await ReplaceAsync(sends, source, target);
            AssertSame(File.ReadAllBytes(source), real);
            Assert.Equal(before, FileState.Of(real));
            Assert.False(Assert.Single(_copies).Atomic);
        }
        finally
        {
            Assert.Equal(0, Run("umount", target));
        }
    }

    [Theory]
    [InlineData(true, "+i")]
    [InlineData(false, "+i")]
    [InlineData(true, "+a")]
    [InlineData(false, "+a")]
    public async Task A_file_that_cannot_be_changed_is_an_error(bool sends, string flag)
    {
        var (source, target) = MakePair(sends);
        var before = File.ReadAllBytes(target);
        Assert.SkipUnless(Run("chattr", flag, target) == 0, "The file system has no such flags, or this process may not set them.");
        try
        {
            await CopyAsync(sends, source, target, Options with { Force = true });
            AssertFailed(sends ? ErrorCatalogue.GuestFileNotWritten : ErrorCatalogue.LocalFileNotWritten);
            AssertSame(before, target);
        }
        finally
        {
            Assert.Equal(0, Run("chattr", flag.Replace('+', '-'), target));
        }

        await AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task A_link_that_is_named_is_followed_and_its_file_replaced(bool sends, bool resumes)
    {
        var (source, target) = MakePair(sends);
        FileState.Decorate(target);
        var before = FileState.Of(target);
        var links = Directory.CreateDirectory(Path.Combine(sends ? Guest : Local, "links")).FullName;
        File.CreateSymbolicLink(Path.Combine(links, "first"), "second");
        File.CreateSymbolicLink(Path.Combine(links, "second"), "../target");
        await CopyAsync(sends, source, Path.Combine(links, "first"), Options with { Resume = resumes });
        AssertFailed(ErrorCatalogue.ItemExists);
        _failures.Clear();
        await CopyAsync(sends, source, Path.Combine(links, "first"), Options with { Force = true, Resume = resumes });
        Assert.Empty(_failures);
        Assert.Equal(Path.Combine(links, "first"), Assert.Single(_copies).Destination);
        AssertSame(File.ReadAllBytes(source), target);
        Assert.Equal(before, FileState.Of(target));
        Assert.Equal(("second", "../target"), (
            new FileInfo(Path.Combine(links, "first")).LinkTarget, new FileInfo(Path.Combine(links, "second")).LinkTarget));
        await AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_link_that_leads_nowhere_or_stands_in_a_tree_is_an_error(bool sends)
    {
        var (source, target) = MakePair(sends);
        var before = File.ReadAllBytes(target);
        var link = target + ".link";
        File.CreateSymbolicLink(link, "nowhere");
        await CopyAsync(sends, source, link, Options with { Force = true });
        AssertFailed(sends ? ErrorCatalogue.GuestFileNotWritten : ErrorCatalogue.ItemNotFile);
        Assert.Equal("nowhere", new FileInfo(link).LinkTarget);
        _failures.Clear();

        Make(Path.Combine(sends ? Local : Guest, "tree/file"), Bytes(5));
        Directory.CreateDirectory(Path.Combine(sends ? Guest : Local, "tree"));
        File.CreateSymbolicLink(Path.Combine(sends ? Guest : Local, "tree/file"), target);
        await CopyAsync(
            sends, Path.Combine(sends ? Local : Guest, "tree"), sends ? Guest : Local, Options with { Force = true, Recurse = true });
        AssertFailed(sends ? ErrorCatalogue.ItemReplaced : ErrorCatalogue.LocalFileNotWritten);
        AssertSame(before, target);
        await AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_in_the_way_is_told_with_owner_and_time(bool sends)
    {
        var (source, target) = MakePair(sends);
        Assert.SkipUnless(Run("chown", "nobody", target) == 0, "This process may not give files away.");
        File.SetLastWriteTime(target, new DateTime(2003, 2, 1, 4, 5, 6, DateTimeKind.Local));
        await CopyAsync(sends, source, target, Options);
        Assert.Contains(
            ": it belongs to nobody, and was changed on 2003-02-01 04:05:06.", AssertFailed(ErrorCatalogue.ItemExists).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "link")]
    [InlineData(false, "link")]
    [InlineData(true, "file")]
    [InlineData(false, "file")]
    public async Task What_another_user_has_put_into_a_folder_for_all_gets_nothing(bool sends, string kind)
    {
        using var attacker = new Attacker();
        File.SetUnixFileMode(attacker.Outside, (UnixFileMode)Convert.ToInt32("1777", 8));
        var (source, victim) = MakePair(sends);
        var before = File.ReadAllBytes(victim);
        var planted = Path.Combine(attacker.Outside, "planted");
        attacker.Run(kind == "link" ? """ln -s "$2" "$1" """ : """: >"$1" && chmod 666 "$1" """, planted, victim);
        await CopyAsync(sends, source, planted, Options with { Force = true });
        Assert.Contains(Assert.Single(_failures).ErrorId, Attacked);
        Assert.Empty(_copies);
        AssertSame(before, victim);
        if (kind == "file")
        {
            Assert.Equal("", attacker.Run("""cat "$1" 2>/dev/null; :""", planted));
        }

        Assert.Equal(["planted"], Directory.EnumerateFileSystemEntries(attacker.Outside).Select(Path.GetFileName));
    }

    // He has a file there, which is replaced; he exchanges it for each of these.
    [Theory]
    [InlineData(true, "link")]
    [InlineData(true, "name")]
    [InlineData(true, "pipe")]
    [InlineData(true, "folder")]
    [InlineData(false, "link")]
    [InlineData(false, "name")]
    [InlineData(false, "pipe")]
    public async Task What_is_replaced_in_the_folder_of_another_user_is_his_alone(bool sends, string kind)
    {
        using var attacker = new Attacker();
        var victim = Make(Path.Combine(attacker.Outside, "victim"), Bytes(7));
        var other = Make(Path.Combine(attacker.Outside, "names"), Bytes(7));
        File.SetUnixFileMode(victim, (UnixFileMode)Convert.ToInt32("4755", 8));
        File.SetLastWriteTimeUtc(victim, Long);
        File.SetLastWriteTimeUtc(other, Long);
        var source = sends ? MakeLocal("file", Bytes(100_000)) : MakeGuest("file", Bytes(100_000));
        var target = Path.Combine(attacker.Folder, "file");
        var (before, exchanged) = (Look(attacker.Outside), 0);
        await Attacker.AfterEveryReplyAsync(
            async call =>
            {
                attacker.Run("""rm -rf file other; echo his >file; chmod 640 file""");

                // As where the kernel lets him give another name to a file of root's.
                Assert.Equal(0, Run("ln", "-f", other, Path.Combine(attacker.Folder, "other")));
                var options = Options with { Force = true };
                await (sends
                    ? GuestItems.SendAsync(Session, [source], target, options, call, TestEnd)
                    : GuestItems.ReceiveAsync(Session, [source], true, target, options, call, TestEnd));
            },
            () =>
            {
                exchanged++;
                attacker.Run(
                    """
                    rm -rf file
                    case $1 in
                    link) ln -s "$2" file ;;
                    name) mv other file ;;
                    pipe) mkfifo file ;;
                    folder) mkdir file ;;
                    esac 2>/dev/null
                    :
                    """, kind, victim);
            },
            () =>
            {
                Assert.Equal(before, Look(attacker.Outside));
                Assert.All(_failures, failure => Assert.Contains(failure.ErrorId, Attacked));

                // Where nothing was there for a moment, it is a new one.
                if (kind is "pipe" or "folder" && Run("test", "-f", target) == 0)
                {
                    Assert.Contains(FileState.Of(target), new[] { "65534:65534 640 1", sends ? "0:0 644 1" : "0:0 600 1" });
                }

                _copies.Clear();
                _failures.Clear();
                return Task.CompletedTask;
            });
        Assert.InRange(exchanged, 5, 200);

        // The last time nothing was exchanged.
        Assert.Empty(_failures);
        AssertSame(Bytes(100_000), Assert.Single(_copies).Destination);
        Assert.Equal("65534:65534 640 1", FileState.Of(target));
    }

    [Fact]
    public async Task Where_he_can_exchange_it_a_file_of_several_names_is_an_error()
    {
        foreach (var sends in new[] { true, false })
        {
            using var attacker = new Attacker();
            var target = Make(Path.Combine(attacker.Folder, "file"), Bytes(7));
            Assert.Equal(0, Run("ln", target, Path.Combine(attacker.Outside, "other")));
            var source = sends ? MakeLocal("source", Bytes(9)) : MakeGuest("source", Bytes(9));
            await CopyAsync(sends, source, target, Options with { Force = true });
            Assert.Contains("hard links", AssertFailed(
                sends ? ErrorCatalogue.GuestFileNotWritten : ErrorCatalogue.LocalFileNotWritten).Message, StringComparison.Ordinal);
            AssertSame(Bytes(7), target);
            Assert.Equal(["file"], Directory.EnumerateFileSystemEntries(attacker.Folder).Select(Path.GetFileName));
            _failures.Clear();
        }
    }

    // A longer source, and a shorter file that is there.
    private (string Source, string Target) MakePair(bool sends) => sends
        ? (MakeLocal("source", Bytes(200_000)), MakeGuest("target", Bytes(1000, 2)))
        : (MakeGuest("source", Bytes(200_000)), MakeLocal("target", Bytes(1000, 2)));

    private async Task ReplaceAsync(bool sends, string source, string target)
    {
        await CopyAsync(sends, source, target, Options with { Force = true });
        Assert.Empty(_failures);
        Assert.Empty(_warnings);
        AssertSame(File.ReadAllBytes(source), target);
        await AssertNothingLeftAsync();
    }
}
