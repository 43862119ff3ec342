using System.Runtime.Versioning;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

/// <summary>Content that is written to files of a real guest, where other users are.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class GuestContentWritingTests : RealGuestTests
{
    private static readonly byte[] Secret = "secret"u8.ToArray();

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task A_new_file_is_never_open_to_others(bool appends, bool inHisFolder)
    {
        using var attacker = new Attacker();
        var path = Path.Combine(inHisFolder ? attacker.Folder : attacker.Outside, "secret");
        var (looks, opened) = (0, "");
        await WriteAsync(path, appends, new CallOptions
        {
            Trace = _ =>
            {
                looks++;
                opened += attacker.Run("""[ ! -e "$1" ] || { [ ! -r "$1" ] && [ ! -w "$1" ]; } || echo open""", path);
            },
        });
        Assert.Equal("", opened);
        Assert.InRange(looks, 10, 100);
        Assert.Equal(Secret, File.ReadAllBytes(path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task What_is_exchanged_for_a_link_or_another_file_is_not_written_to(bool appends, bool isNew)
    {
        using var attacker = new Attacker();
        var victim = Path.Combine(attacker.Outside, "victim");
        var path = Path.Combine(attacker.Folder, "notes");
        File.WriteAllText(victim, "root's");
        foreach (var (attack, isLink) in new[] { ("""ln -s "$2" "$1" """, true), ("""(: >"$1" && chmod 666 "$1") """, false) })
        {
            var (refused, found, looks) = (0, "", 0);
            await Attacker.AfterEveryReplyAsync(
                async call =>
                {
                    attacker.Run(isNew ? """rm -f "$1" """ : """rm -f "$1"; echo his >"$1" """, path);
                    var error = await Record.ExceptionAsync(() => WriteAsync(path, appends, call));
                    Assert.True(error is null or GuestAgentException, $"{error}");
                    refused += error is null ? 0 : 1;
                },
                () => found = attacker.Run("""[ ! -e "$1" ] || echo found; rm -f "$1"; """ + attack + "2>/dev/null; :", path, victim),
                () =>
                {
                    Assert.Equal("root's", File.ReadAllText(victim));

                    // Put there before anything was made, it is his own file that was asked for.
                    if (isNew && !isLink && found.Length > 0)
                    {
                        Assert.Equal("", attacker.Run("""cat "$1" 2>/dev/null; :""", path));
                        looks++;
                    }

                    return Task.CompletedTask;
                });
            Assert.InRange(refused, isLink || isNew ? 1 : 0, 100);
            Assert.Equal(isNew && !isLink, looks > 0);
        }
    }

    [Fact]
    public async Task A_file_that_is_there_keeps_its_mode_and_a_link_is_followed()
    {
        var (file, link) = (Agent.GuestPath("file"), Agent.GuestPath("link"));
        File.WriteAllText(file, "a longer text");
        File.SetUnixFileMode(file, (UnixFileMode)Convert.ToInt32("640", 8));
        File.CreateSymbolicLink(link, file);
        await WriteAsync(link, appends: false);
        Assert.Equal(Secret, File.ReadAllBytes(file));
        Assert.Equal(Convert.ToInt32("640", 8), (int)File.GetUnixFileMode(file));
        Assert.Equal(file, new FileInfo(link).LinkTarget);
        await WriteAsync(link, appends: true);
        Assert.Equal([.. Secret, .. Secret], File.ReadAllBytes(file));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_written_to_keeps_owner_mode_acl_attributes_and_names(bool appends)
    {
        var file = Agent.GuestPath("file");
        File.WriteAllText(file, "a longer text");
        FileState.Decorate(file);
        Assert.Equal(0, CopyTests.Run("ln", file, file + ".other"));
        var before = FileState.Of(file);
        Assert.Contains("1234:5678 2640 2", before, StringComparison.Ordinal);
        await WriteAsync(file, appends);
        Assert.Equal(before, FileState.Of(file));
        Assert.Equal(appends ? [.. "a longer text"u8, .. Secret] : Secret, File.ReadAllBytes(file + ".other"));
    }

    [Fact]
    public async Task A_link_that_another_user_has_put_into_a_folder_for_all_is_not_followed()
    {
        using var attacker = new Attacker();
        File.SetUnixFileMode(attacker.Outside, (UnixFileMode)Convert.ToInt32("1777", 8));
        var (victim, link) = (Agent.GuestPath("victim"), Path.Combine(attacker.Outside, "link"));
        File.WriteAllText(victim, "root's");
        attacker.Run("""ln -s "$2" "$1" """, link, victim);
        await WriteAsync(link, appends: false).FailsWith(ErrorCatalogue.ItemReplaced);
        Assert.Equal("root's", File.ReadAllText(victim));
    }

    [Fact]
    public async Task A_link_that_leads_nowhere_yet_gets_its_file()
    {
        var (file, link) = (Agent.GuestPath("file"), Agent.GuestPath("link"));
        File.CreateSymbolicLink(link, "file");
        await WriteAsync(link, appends: false);
        Assert.Equal(Secret, File.ReadAllBytes(file));
    }

    [Fact]
    public async Task Devices_are_written_to_and_stay_what_they_are_and_a_pipe_nobody_reads_is_an_error()
    {
        var (pipe, device) = (Agent.GuestPath("pipe"), Agent.GuestPath("null"));
        Assert.Equal(0, CopyTests.Run("mkfifo", pipe));
        await WriteAsync(pipe, appends: false).FailsWith(ErrorCatalogue.GuestFileNotOpened);
        Assert.Equal(0, CopyTests.Run("test", "-p", pipe));
        Assert.SkipUnless(CopyTests.Run("mknod", device, "c", "1", "3") == 0, "This process may not make a device.");
        await WriteAsync(device, appends: false);
        Assert.Equal(0, CopyTests.Run("test", "-c", device));
    }

    [Fact]
    public async Task Settings_of_the_kernel_are_written()
    {
        const string Path = "/proc/sys/net/ipv4/ip_default_ttl";
        var value = File.Exists(Path) ? File.ReadAllBytes(Path) : null;
        Assert.SkipUnless(value is not null && CopyTests.Run("test", "-w", Path) == 0, "This process may not set the kernel.");
        await GuestContent.WriteAsync(Session, Path, value, [], false, Assert.Fail, null, TestEnd).OrHang();
        Assert.Equal(value, File.ReadAllBytes(Path));
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_an_error() =>
        await WriteAsync(Agent.GuestPath("none/file"), appends: false).FailsWith(ErrorCatalogue.GuestItemNotFound);

    private Task WriteAsync(string path, bool appends, CallOptions? call = null) =>
        GuestContent.WriteAsync(Session, path, Secret, [], appends, Assert.Fail, call, TestEnd).OrHang();
}
