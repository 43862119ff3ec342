using System.Diagnostics;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Guests;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

// What goes wrong, and what is left then.
public abstract partial class CopyTests
{
    [Fact]
    public async Task A_full_disk_in_the_guest_is_an_error_and_no_short_file()
    {
        using var disk = SmallDisk.Mount(Guest, "size=1m");
        await SendAsync(MakeLocal("large", Bytes(3 << 20)), Guest);
        AssertFailed(ErrorCatalogue.GuestFileNotWritten);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Guest));

        // So late that only the flush tells of it.
        _failures.Clear();
        File.WriteAllBytes(Path.Combine(Guest, "filler"), new byte[(1 << 20) - 4096]);
        await SendAsync(MakeLocal("small", Bytes(4097)), Guest);
        AssertFailed(ErrorCatalogue.GuestFileNotWritten);
        await AssertNothingLeftAsync();
        Assert.Equal(["filler"], Directory.EnumerateFileSystemEntries(Guest).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_full_disk_here_is_an_error_and_no_short_file()
    {
        using var disk = SmallDisk.Mount(Local, "size=1m");
        await ReceiveAsync(MakeGuest("large", Bytes(3 << 20)), Local);
        AssertFailed(ErrorCatalogue.ItemTooLarge);
        await AssertNothingLeftAsync();
        Assert.Empty(Directory.EnumerateFileSystemEntries(Local));
    }

    [Fact]
    public async Task A_read_only_target_is_an_error()
    {
        var source = MakeLocal("source", Bytes(100));
        using (SmallDisk.Mount(Guest, "ro"))
        {
            await SendAsync(source, Guest);
            AssertFailed(ErrorCatalogue.GuestFileNotWritten);
        }

        _failures.Clear();
        var guest = MakeGuest("guest", Bytes(100));
        using (SmallDisk.Mount(Local, "ro"))
        {
            await ReceiveAsync(guest, Local);
            AssertFailed(ErrorCatalogue.LocalFileNotWritten);
        }
    }

    [Fact]
    public async Task What_is_not_there_is_an_error()
    {
        await SendAsync(Path.Combine(Local, "none"), Guest);
        AssertFailed(ErrorCatalogue.FileNotReadable);
        _failures.Clear();
        await ReceiveAsync(Path.Combine(Guest, "none"), Local);
        AssertFailed(ErrorCatalogue.GuestItemNotFound);
        _failures.Clear();
        await SendAsync(MakeLocal("source", Bytes(5)), Path.Combine(Guest, "no/such/folder"));
        AssertFailed(ErrorCatalogue.GuestItemNotFound);
        await AssertNothingLeftAsync();
        await SendAsync(MakeLocal("source", Bytes(5)), "relative/path").FailsWith(ErrorCatalogue.GuestPathNotRooted);
    }

    [Fact]
    public async Task A_pipe_is_refused_and_nobody_waits_for_its_writer()
    {
        Assert.Equal(0, Run("mkfifo", Path.Combine(Local, "pipe"), Path.Combine(Guest, "pipe")));
        await SendAsync(Path.Combine(Local, "pipe"), Guest, Options with { Force = true });
        AssertFailed(ErrorCatalogue.ItemNotFile);
        _failures.Clear();
        await ReceiveAsync(Path.Combine(Guest, "pipe"), Path.Combine(Local, "copy"));
        AssertFailed(ErrorCatalogue.ItemNotFile);
        _failures.Clear();
        await ReceiveAsync("/dev/zero", Local);
        AssertFailed(ErrorCatalogue.ItemNotFile);
        await AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task What_is_no_file_is_not_replaced(bool sends, bool byLink)
    {
        var target = Path.Combine(sends ? Guest : Local, "pipe");
        Assert.Equal(0, Run("mkfifo", target));
        var named = byLink ? target + ".link" : target;
        if (byLink)
        {
            File.CreateSymbolicLink(named, target);
        }

        foreach (var force in new[] { false, true })
        {
            await CopyAsync(
                sends, sends ? MakeLocal("file", Bytes(5)) : MakeGuest("file", Bytes(5)), named, Options with { Force = force });
            AssertFailed(ErrorCatalogue.ItemNotFile);
            _failures.Clear();
        }

        Assert.Equal(0, Run("test", "-p", target));
        Assert.Equal(byLink ? 0 : 1, Run("test", "-L", named));
        await AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_device_is_not_replaced(bool sends)
    {
        var target = Path.Combine(sends ? Guest : Local, "null");
        Assert.SkipUnless(Run("mknod", target, "c", "1", "3") == 0, "This process may not make a device.");
        var source = sends ? MakeLocal("file", Bytes(5)) : MakeGuest("file", Bytes(5));
        await CopyAsync(sends, source, target, Options with { Force = true });
        AssertFailed(ErrorCatalogue.ItemNotFile);
        Assert.Equal(0, Run("test", "-c", target));
    }

    [Fact]
    public async Task A_folder_where_a_file_was_meant_is_an_error()
    {
        MakeGuest("name/inner", Bytes(1));
        await SendAsync(MakeLocal("name", Bytes(5)), Guest, Options with { Force = true });
        AssertFailed(ErrorCatalogue.ItemIsFolder);
        _failures.Clear();
        MakeLocal("other/inner", Bytes(1));
        await ReceiveAsync(MakeGuest("other", Bytes(5)), Local, Options with { Force = true });
        AssertFailed(ErrorCatalogue.ItemIsFolder);
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_source_that_grows_is_copied_as_long_as_it_was()
    {
        var content = Bytes(3_000_000);
        var source = MakeGuest("log", content);
        var grown = false;
        await ReceiveAsync(source, Local, Options with
        {
            Progress = _ =>
            {
                if (!grown)
                {
                    grown = true;
                    File.AppendAllText(source, "more");
                }
            },
        });
        AssertSame(content, Path.Combine(Local, "log"));
        Assert.Equal(CopyVerification.Sha256, Assert.Single(_copies).Verified);
    }

    [Theory]
    [InlineData(3_000_000)]
    [InlineData(20_000_000)]
    public async Task A_source_that_changes_or_shrinks_is_an_error_and_no_mixed_file(int length)
    {
        var source = MakeGuest("data", Bytes(length));
        foreach (var (change, expected) in new (Action<FileStream>, ErrorDefinition)[]
        {
            (file => file.Write([1, 2, 3, 4]), ErrorCatalogue.ItemNotVerified),
            (file => file.SetLength(1_000_000), ErrorCatalogue.ItemChanged),
        })
        {
            var done = false;
            await ReceiveAsync(source, Local, Options with
            {
                Progress = _ =>
                {
                    if (!done)
                    {
                        done = true;
                        using var file = File.OpenWrite(source);
                        change(file);
                    }
                },
            });
            AssertFailed(expected);
            await AssertNothingLeftAsync();
            Assert.Empty(Directory.EnumerateFileSystemEntries(Local));
            _failures.Clear();
        }
    }

    [Fact]
    public async Task More_than_may_come_does_not_come()
    {
        await ReceiveAsync(MakeGuest("file", Bytes(2000)), Local, Options with { MaximumSize = 1999 });
        AssertFailed(ErrorCatalogue.ItemTooLarge);
        await ReceiveAsync(Path.Combine(Guest, "file"), Local, Options with { MaximumSize = 2000 });
        Assert.Single(_copies);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task Giving_up_at_any_command_leaves_nothing(bool sends, bool oneByOne)
    {
        var options = Options with { OneByOne = oneByOne };
        var (there, here) = (MakeGuest("guest", Bytes(200_000)), MakeLocal("local", Bytes(200_000)));
        var target = sends ? Path.Combine(Guest, "target") : Path.Combine(Local, "target");
        var commands = await GivingUp.AtEveryCommandAsync(
            (call, stop) => sends
                ? GuestItems.SendAsync(Session, [here], target, options, call, stop)
                : GuestItems.ReceiveAsync(Session, [there], true, target, options, call, stop),
            async () =>
            {
                await AssertNothingLeftAsync();

                // Its last command may have been carried out: then it is there, whole.
                if (File.Exists(target))
                {
                    AssertSame(Bytes(200_000), target);
                    File.Delete(target);
                }
            });
        Assert.InRange(commands, sends && !oneByOne ? 6 : 12, 100);
        AssertSame(Bytes(200_000), target);
    }

    internal static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        return process.ExitCode;
    }

    // A file system of its own, small or read-only.
    private sealed class SmallDisk : IDisposable
    {
        private readonly string _folder;

        private SmallDisk(string folder) => _folder = folder;

        public static SmallDisk Mount(string folder, string options)
        {
            Assert.SkipUnless(
                Run("mount", "-t", "tmpfs", "-o", options, "tmpfs", folder) == 0, "This process may not mount a file system.");
            return new SmallDisk(folder);
        }

        public void Dispose() => Assert.Equal(0, Run("umount", _folder));
    }
}
