using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

// Another user who exchanges what is his, or plants what is not, or looks what he can open.
public abstract partial class CopyTests
{
    private static readonly DateTime Long = new(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_file_on_its_way_to_a_guest_is_never_open_to_others(bool inHisFolder)
    {
        using var attacker = new Attacker();
        var folder = inHisFolder ? attacker.Folder : attacker.Outside;
        var source = MakeLocal("secret", Bytes(200_000));
        File.SetUnixFileMode(source, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var (looks, opened) = (0, "");
        await GuestItems.SendAsync(Session, [source], folder, Options, new CallOptions
        {
            Trace = _ =>
            {
                looks++;
                opened += attacker.Run(
                    """find "$1" -mindepth 1 \( -readable -o -writable -o -type d -executable \) 2>/dev/null; :""", folder);
            },
        }, TestEnd).OrHang();
        Assert.Equal("", opened);
        Assert.InRange(looks, 12, 200);
        AssertSame(Bytes(200_000), Path.Combine(folder, "secret"));
        Assert.Empty(_failures);
    }

    // What he puts in the place of each thing that comes to be in his folder: links to what is root's, another folder of root's, and
    // a private folder of his own with all parts that there may be, as links.
    [Theory]
    [InlineData("file", false, true)]
    [InlineData("closed", false, true)]
    [InlineData("open", false, true)]
    [InlineData("file", true, false)]
    [InlineData("file", true, true)]
    [InlineData("closed", true, false)]
    [InlineData("closed", true, true)]
    [InlineData("open", true, false)]
    [InlineData("open", true, true)]
    [InlineData("moved", false, true)]
    [InlineData("moved", true, false)]
    [InlineData("moved", true, true)]
    [InlineData("parts", false, true)]
    public async Task What_is_exchanged_between_two_steps_is_not_changed_and_leads_nowhere(string victim, bool isTree, bool oneByOne)
    {
        using var attacker = new Attacker();
        foreach (var (name, mode) in new[] { ("closed", "700"), ("open", "755"), ("moved", "700") })
        {
            var folder = Directory.CreateDirectory(Path.Combine(attacker.Outside, name)).FullName;
            Make(Path.Combine(folder, "inner"), Bytes(3));
            Directory.SetLastWriteTimeUtc(folder, Long);
            File.SetUnixFileMode(folder, (UnixFileMode)Convert.ToInt32(mode, 8));
        }

        var file = Make(Path.Combine(attacker.Outside, "file"), Bytes(3));
        File.SetUnixFileMode(file, (UnixFileMode)Convert.ToInt32("644", 8));
        File.SetLastWriteTimeUtc(file, Long);
        var before = Look(attacker.Outside);
        var source = MakeLocal("tree/sub/file", Bytes(1000));
        File.SetUnixFileMode(Path.GetDirectoryName(source)!, (UnixFileMode)Convert.ToInt32("751", 8));
        var (sent, target) = isTree ? (Path.Combine(Local, "tree"), "tree/sub/file") : (source, "file");
        var exchanged = "";
        await Attacker.AfterEveryReplyAsync(
            async call =>
            {
                // A folder of root's in his own he can move, though not open.
                if (victim == "moved")
                {
                    Directory.Move(Path.Combine(attacker.Outside, "moved"), Path.Combine(attacker.Folder, "moved"));
                }

                await GuestItems.SendAsync(
                    Session, [sent], attacker.Folder, Options with { Recurse = true, Force = true, OneByOne = oneByOne }, call, TestEnd);
            },
            () => exchanged += attacker.Run(
                """
                for entry in .*.partial tree; do
                  [ -e "$entry" ] && mv "$entry" aside && echo exchanged || continue
                  case $1 in
                  moved) mv moved "$entry" ;;
                  parts)
                    mkdir -m 777 "$entry"
                    random=${entry%.partial}
                    for handle in $(seq 1000 1100); do ln -s "$2/file" "$entry/$handle.${random##*.}"; done ;;
                  *) ln -s "$2/$1" "$entry" ;;
                  esac
                  break
                done 2>/dev/null
                :
                """, victim, attacker.Outside),
            () =>
            {
                if (victim == "moved")
                {
                    var moved = Directory.EnumerateFiles(attacker.Folder, "inner", Everywhere).Select(Path.GetDirectoryName).Single();
                    Directory.Move(moved!, Path.Combine(attacker.Outside, "moved"));
                }

                // What stands there as a folder of that name may be copied into; it must not be opened to others.
                if (victim == "moved" && isTree)
                {
                    Assert.Equal(Convert.ToInt32("700", 8), (int)File.GetUnixFileMode(Path.Combine(attacker.Outside, "moved")));
                }
                else
                {
                    Assert.Equal(before, Look(attacker.Outside));
                }

                var whole = Path.Combine(attacker.Folder, target);
                if (new FileInfo(whole) is { Exists: true, LinkTarget: null } && !isTree)
                {
                    AssertSame(Bytes(1000), whole);
                }

                Assert.All(_failures, failure => Assert.Contains(failure.ErrorId, Attacked));
                _failures.Clear();
                foreach (var entry in new DirectoryInfo(attacker.Folder).EnumerateFileSystemInfos("*", new EnumerationOptions { AttributesToSkip = 0 }))
                {
                    Run("rm", "-rf", entry.FullName);
                }

                return Task.CompletedTask;
            });
        Assert.InRange(exchanged.Length / "exchanged\n".Length, oneByOne ? 5 : 2, 100);
    }

    [Fact]
    public async Task What_is_exchanged_here_while_a_file_comes_is_not_changed()
    {
        using var attacker = new Attacker();
        var victim = Make(Path.Combine(attacker.Outside, "file"), Bytes(3));
        File.SetUnixFileMode(victim, (UnixFileMode)Convert.ToInt32("644", 8));
        File.SetLastWriteTimeUtc(victim, Long);
        var before = Look(attacker.Outside);
        var source = MakeGuest("file", Bytes(1000));
        File.SetUnixFileMode(source, (UnixFileMode)Convert.ToInt32("755", 8));
        var exchanged = "";
        await Attacker.AfterEveryReplyAsync(
            call => GuestItems.ReceiveAsync(Session, [source], true, attacker.Folder, Options with { Force = true }, call, TestEnd),
            () => exchanged += attacker.Run(
                """for entry in .*.partial; do mv "$entry" aside && ln -s "$1" "$entry" && echo exchanged; done 2>/dev/null; :""", victim),
            () =>
            {
                Assert.Equal(before, Look(attacker.Outside));
                attacker.Run("""rm -f aside file .*.partial""");
                return Task.CompletedTask;
            });
        Assert.NotEmpty(exchanged);
    }

    [Theory]
    [InlineData("link", 2)]
    [InlineData("folder", 2)]
    [InlineData("pipe", 2)]
    public async Task What_takes_the_place_of_a_listed_file_does_not_come(string kind, int atLeast)
    {
        using var attacker = new Attacker();
        Make(Path.Combine(attacker.Outside, "secret/victim"), "secret"u8.ToArray());
        File.SetUnixFileMode(Path.Combine(attacker.Outside, "secret/victim"), UnixFileMode.UserRead);
        var refused = 0;
        await Attacker.AfterEveryReplyAsync(
            async call =>
            {
                attacker.Run("rm -rf tree ../folder/aside; mkdir -p tree/sub; for f in first sub/victim sub/last; do echo open >tree/$f; done");
                await GuestItems.ReceiveAsync(
                    Session, [Path.Combine(attacker.Folder, "tree")], true, Local, Options with { Recurse = true, Force = true }, call,
                    TestEnd);
            },
            () => attacker.Run(
                """
                case $1 in
                link) rm tree/sub/victim; ln -s "$2/secret/victim" tree/sub/victim ;;
                folder) mv tree/sub aside; ln -s "$2/secret" tree/sub ;;
                pipe) rm tree/sub/victim; mkfifo tree/sub/victim ;;
                esac
                """, kind, attacker.Outside),
            () =>
            {
                Assert.All(
                    Directory.EnumerateFiles(Local, "*", Everywhere), path => Assert.Equal("open\n", File.ReadAllText(path)));
                refused += _failures.Count;
                Assert.All(_failures, failure => Assert.Contains(failure.ErrorId, Attacked));
                Assert.Empty(Partials());
                Assert.DoesNotContain(Path.Combine(attacker.Folder, "tree/sub/victim"), Holders(), StringComparison.Ordinal);
                _failures.Clear();
                Directory.Delete(Path.Combine(Local, "tree"), recursive: true);
                return Task.CompletedTask;
            });
        Assert.InRange(refused, atLeast, 100);
    }

    [Theory]
    [InlineData("file")]
    [InlineData("link")]
    [InlineData("pipe")]
    [InlineData("names")]
    public async Task What_another_user_has_planted_here_is_not_gone_on_with(string kind)
    {
        using var attacker = new Attacker();
        var content = Bytes(100_000);
        var source = MakeGuest("file", content);
        var planted = Path.Combine(attacker.Folder, PartialName.Create("file", 1));
        var start = Make(Path.Combine(attacker.Outside, "start"), content[..50_000]);
        attacker.Run("""cat "$2" >../folder/start; chmod 600 start; cat start >"$1"; chmod 600 "$1" """, planted, start);
        if (kind != "file")
        {
            File.Delete(planted);
            File.SetUnixFileMode(start, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            Assert.Equal(0, kind switch
            {
                "link" => Run("ln", "-s", start, planted),
                "pipe" => Run("mkfifo", "-m", "600", planted),
                _ => Run("ln", start, planted),
            });
        }

        await CopyAsync(sends: false, source, attacker.Folder, Options with { Resume = true });
        var target = Path.Combine(attacker.Folder, "file");
        AssertSame(content, target);
        Assert.Equal(0, Assert.Single(_copies).Resumed);
        Assert.Equal("", attacker.Run("""[ ! -O "$1" ] && [ ! -r "$1" ] || echo his""", target));
        AssertSame(content[..50_000], start);
        Assert.Equal(0, Run("/bin/sh", "-c", """[ -e "$0" ] && [ ! "$0" -ef "$1" ]""", planted, target));
        Assert.Contains("left alone", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("folder")]
    [InlineData("link")]
    public async Task What_another_user_has_planted_in_a_guest_is_not_gone_on_with(string kind)
    {
        using var attacker = new Attacker();
        var content = Bytes(100_000);
        var planted = Path.Combine(attacker.Folder, PartialName.CreateFolder("file"));
        var own = Directory.CreateDirectory(
            Path.Combine(attacker.Outside, "own"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
        var left = Make(Path.Combine(kind == "link" ? own : attacker.Outside, PartialName.Part(planted, 1)), content[..50_000]);
        attacker.Run(
            kind == "link" ? """ln -s "$3" "$1" """ : """mkdir -m 700 "$1"; cat "$2" >"$1/${2##*/}" """, planted, left, own);
        await CopyAsync(sends: true, MakeLocal("file", content), attacker.Folder, Options with { Resume = true });
        AssertSame(content, Path.Combine(attacker.Folder, "file"));
        Assert.Equal(0, Assert.Single(_copies).Resumed);
        AssertSame(content[..50_000], left);
        Assert.Equal(0, Run("test", "-e", planted));
        Assert.Contains("left alone", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    // What there is, with mode, time and content.
    private static string Look(string folder)
    {
        var start = new System.Diagnostics.ProcessStartInfo(
            "/bin/sh", ["-c", """cd "$0" && find . -mindepth 1 -printf '%p %m %u %T@ %s %l\n' | sort""", folder]) { RedirectStandardOutput = true };
        return Printed(start);
    }

    // What the processes of this machine hold open.
    private static string Holders()
    {
        var start = new System.Diagnostics.ProcessStartInfo("/bin/sh", ["-c", "readlink /proc/[0-9]*/fd/*"]) { RedirectStandardOutput = true };
        return Printed(start);
    }

    // Something in any case: to see nothing would be no proof.
    private static string Printed(System.Diagnostics.ProcessStartInfo start)
    {
        using var process = System.Diagnostics.Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        Assert.NotEmpty(output);
        return output;
    }

    private static EnumerationOptions Everywhere => new() { RecurseSubdirectories = true, AttributesToSkip = 0 };

    private static string[] Attacked =>
    [
        ErrorCatalogue.ItemReplaced.Id, ErrorCatalogue.GuestFileNotOpened.Id, ErrorCatalogue.GuestFileNotWritten.Id,
        ErrorCatalogue.GuestItemNotFound.Id, ErrorCatalogue.GuestFileNotRead.Id, ErrorCatalogue.ItemNotFile.Id,
        ErrorCatalogue.ItemNotVerified.Id, ErrorCatalogue.ItemIsFolder.Id, ErrorCatalogue.LocalFileNotWritten.Id,
    ];
}
