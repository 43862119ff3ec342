using System.Runtime.InteropServices;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Operations.Files;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

// Going on with what an earlier copy left.
public abstract partial class CopyTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Resume_goes_on_with_what_a_dead_client_left(bool sends)
    {
        var content = Bytes(2_000_000);
        var (source, folder) = sends ? (MakeLocal("file", content), Guest) : (MakeGuest("file", content), Local);

        // A client has died: its file stays, and its handle stays open in the agent.
        var left = MakePartial(sends, folder, 0, content[..1_200_000]);
        var handle = await GuestFile.OpenAsync(
            Session, sends ? left : source, sends ? "a" : "r", new OperationTime(Session.Clock, null), TestEnd);
        Session.OpenFiles.Remove(handle.Handle); // It was not this session's.
        if (sends)
        {
            await handle.WriteAsync(content.AsMemory(1_200_000, 100_000), TestEnd);
        }

        File.Move(left, sends
            ? Path.Combine(Path.GetDirectoryName(left)!, PartialName.Part(Path.GetDirectoryName(left)!, handle.Handle))
            : Path.Combine(folder, PartialName.Create("file", handle.Handle)));

        // An older one of another source, and one that is not ours.
        MakePartial(sends, folder, 1, Bytes(1_500_000, 7));
        var strange = Path.Combine(folder, ".file.strange" + PartialName.Suffix);
        File.WriteAllBytes(strange, [1]);
        await CopyAsync(sends, source, folder, Options with { Resume = true });
        AssertSame(content, Path.Combine(folder, "file"));
        var copy = Assert.Single(_copies);
        Assert.Equal((sends ? 1_300_000 : 1_200_000, Hash(content)), (copy.Resumed, copy.Hash));
        Assert.Equal(CopyVerification.Sha256, copy.Verified);
        File.Delete(strange);
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task What_is_left_of_another_guest_s_file_costs_this_one_no_open_file()
    {
        var content = Bytes(100_000);
        var source = MakeGuest("file", content);
        await using var held = await GuestFile.OpenAsync(Session, source, "r", new OperationTime(Session.Clock, null), TestEnd);

        // Every agent counts its handles up from the same number.
        MakePartial(sends: false, Local, held.Handle, Bytes(1000, 7));
        await CopyAsync(sends: false, source, Local, Options with { Resume = true });
        AssertSame(content, Path.Combine(Local, "file"));
        Assert.Equal(10, await held.ReadAsync(new byte[10], 10, TestEnd));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_copy_that_is_broken_off_leaves_its_part_to_resume(bool sends)
    {
        var content = Bytes(2_000_000);
        var (source, folder) = sends ? (MakeLocal("file", content), Guest) : (MakeGuest("file", content), Local);
        using var stop = new CancellationTokenSource();
        var options = Options with
        {
            Resume = true,
            Progress = told =>
            {
                if (told.Bytes > 500_000)
                {
                    stop.Cancel();
                }
            },
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => CopyAsync(sends, source, folder, options, stop.Token));
        Assert.Single(Partials());
        Assert.False(File.Exists(Path.Combine(folder, "file")));
        await CopyAsync(sends, source, folder, Options with { Resume = true });
        AssertSame(content, Path.Combine(folder, "file"));
        Assert.InRange(Assert.Single(_copies).Resumed, 400_000, 1_999_999);
        await AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Without_anything_left_it_starts_at_the_beginning(bool sends)
    {
        var content = Bytes(100_000);
        var (source, folder) = sends ? (MakeLocal("file", content), Guest) : (MakeGuest("file", content), Local);
        await CopyAsync(sends, source, folder, Options with { Resume = true });
        Assert.Equal(0, Assert.Single(_copies).Resumed);
        AssertSame(content, Path.Combine(folder, "file"));
        await AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_left_but_in_use_or_open_to_others_is_left_alone(bool sends)
    {
        var content = Bytes(100_000);
        var (source, folder) = sends ? (MakeLocal("file", content), Guest) : (MakeGuest("file", content), Local);
        var left = MakePartial(sends, folder, 1, content[..50_000]);
        var open = sends ? Path.GetDirectoryName(left)! : left;
        File.SetUnixFileMode(open, File.GetUnixFileMode(open) | UnixFileMode.GroupRead);
        await CopyAsync(sends, source, folder, Options with { Resume = true });
        AssertSame(content, Path.Combine(folder, "file"));
        Assert.Equal(0, Assert.Single(_copies).Resumed);
        AssertSame(content[..50_000], left);
        Assert.Contains("left alone", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_another_copy_is_still_writing_here_is_left_alone()
    {
        var content = Bytes(100_000);
        var source = MakeGuest("file", content);
        var left = Path.Combine(Local, PartialName.Create("file", 1));
        using var other = LocalFile.Create(left);
        other.Write(content, 0, 50_000);
        await CopyAsync(sends: false, source, Local, Options with { Resume = true });
        Assert.Equal(0, Assert.Single(_copies).Resumed);
        AssertSame(content[..50_000], left);
        Assert.Contains("left alone", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_gone_on_with_is_free_once_closed_even_while_a_process_is_being_started()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Files are gone on with by descriptors on Linux only.");
        var left = Path.Combine(Local, PartialName.Create("file", 1));
        LocalFile.Create(left).Dispose();
        int copy;
        using (var local = LocalFile.Reopen(left)!)
        {
            // As between fork and exec of a process that another thread starts.
            copy = dup((int)local.SafeFileHandle.DangerousGetHandle());
        }

        try
        {
            Assert.Empty(File.ReadAllBytes(left));
        }
        finally
        {
            _ = close(copy);
        }
    }

    [DllImport("libc")]
    private static extern int dup(int descriptor);

    [DllImport("libc")]
    private static extern int close(int descriptor);

    // As a copy leaves one.
    private static string MakePartial(bool sends, string folder, long handle, byte[] content)
    {
        var path = Path.Combine(folder, PartialName.Create("file", handle));
        if (sends)
        {
            var parent = Path.Combine(folder, PartialName.CreateFolder("file"));
            Directory.CreateDirectory(parent, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            path = Path.Combine(parent, PartialName.Part(parent, handle));
        }

        File.WriteAllBytes(path, content);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }

    private Task CopyAsync(bool sends, string source, string folder, ItemCopyOptions options, CancellationToken? stop = null) => sends
        ? GuestItems.SendAsync(Session, [source], folder, options, null, stop ?? TestEnd)
        : GuestItems.ReceiveAsync(Session, [source], true, folder, options, null, stop ?? TestEnd);
}
