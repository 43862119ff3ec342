using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

/// <summary>A guest whose programs lie about what is in its folders.</summary>
public sealed class HostileGuestTests : IDisposable
{
    private readonly DirectoryInfo _here = Directory.CreateTempSubdirectory("hostile-");
    private readonly List<GuestAgentException> _failures = [];

    public void Dispose() => _here.Delete(recursive: true);

    [Theory]
    [InlineData("../outside")]
    [InlineData("../../../../../../etc/outside")]
    [InlineData("sub/../../outside")]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("/etc/outside")]
    [InlineData("sub//outside")]
    [InlineData("sub\uFFFDx")]
    [InlineData("never/made")]
    public async Task No_name_leads_out_of_the_folder(string name)
    {
        await ReceiveAsync($"\0d 0 1700000000.5 755 /tree\0d 0 1700000000 755 /tree/sub\0f 3 1700000000 644 /tree/{name}\0");
        Assert.NotEmpty(_failures);
        Assert.Equal(["in", "in/tree", "in/tree/sub"], Entries());
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("\0f x 1 644 /tree\0")]
    [InlineData("\0f 1 x 644 /tree\0")]
    [InlineData("\0f 1 1 999 /tree\0")]
    [InlineData("\0f 99999999999999999999 1 644 /tree\0")]
    [InlineData("\0f -1 1 644 /tree\0")]
    [InlineData("\0f 1 1e999 644 /tree\0")]
    [InlineData("\0d 1 1 755 /tree\0f 1 1 644 /elsewhere\0")]
    [InlineData("\0d 1 1 755 /tree\0f 1 1 644 /treeevil\0")]
    [InlineData("\0d 1 1 755 /tree\0f 1 1 644 /tree/x\0f 1 1 644 /tree/x\0")]
    [InlineData("\0d 1 1 755 /tree\0\0d 1 1 755 /tree\0")]
    [InlineData("\0d 1 1 755 /tree\0\0f 1 1 644 /home/user/.bashrc\0")]
    [InlineData("\0d 1 1 755 /tree\0> x\0")]
    [InlineData("\0d 1 1 755 /tree\0l 1 1 777 /tree/x\0> y\0> z\0")]
    [InlineData("\0d 1 1 755 /\0f 1 1 644 /tree/x\0")]
    public async Task A_list_that_is_none_is_an_error(string list)
    {
        await ReceiveAsync(list);
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.GuestFileNotRead);
        Assert.Equal(["in"], Entries());
    }

    [Theory]
    [InlineData("/var/log/app.log", true, "\0f 3 1 644 /home/user/.bashrc\0")]
    [InlineData("/var/log/app.log", true, "\0f 3 1 644 /var/log/app.log\0\0f 3 1 644 /x/.netrc\0")]
    [InlineData("/var/log/app.log", true, "\0d 0 1 755 /.ssh\0f 3 1 644 /.ssh/authorized_keys\0")]
    [InlineData("/var/log/app.log", true, "\0d 0 1 755 /var/log/app.log\0f 3 1 644 /var/log/app.log/x\0")]
    [InlineData("/var/log/*.log", false, "\0f 3 1 644 /var/log/.bashrc\0")]
    [InlineData("/var/log/*.log", false, "\0f 3 1 644 /var/log/.log\0")]
    [InlineData("/var/log/*.log", false, "\0f 3 1 644 /var/log/x/y.log\0")]
    [InlineData("/var/log/*", false, "\0f 3 1 644 /var/log/.bashrc\0")]
    [InlineData("/var/log/*", false, "\0f 3 1 644 /home/user/app\0")]
    [InlineData("/var/log/[ab]?", false, "\0f 3 1 644 /var/log/cd\0")]
    public async Task The_guest_does_not_choose_what_is_made_here(string asked, bool isLiteral, string list)
    {
        await ReceiveAsync(list, asked, isLiteral, recurses: false);
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.GuestFileNotRead);
        Assert.Equal(["in"], Entries());
    }

    [Theory]
    [InlineData("/etc")]
    [InlineData("../..")]
    [InlineData("sub/../../..")]
    [InlineData("sub")]
    [InlineData("")]
    public async Task No_link_of_a_list_leads_a_file_elsewhere(string target)
    {
        await ReceiveAsync($"\0d 0 1 755 /tree\0d 0 1 755 /tree/sub\0l 1 1 777 /tree/link\0> {target}\0f 3 1 644 /tree/link/file\0");
        Assert.NotEmpty(_failures);
        string[] link = target == "sub" && !OperatingSystem.IsWindows() ? ["in/tree/link"] : [];
        Assert.Equal(["in", "in/tree", .. link, "in/tree/sub"], Entries());
    }

    [Theory]
    [InlineData("a", 0, true)]
    [InlineData("./a//b/", 0, true)]
    [InlineData("..", 0, false)]
    [InlineData("..", 1, true)]
    [InlineData("../../a", 1, false)]
    [InlineData("./../a", 1, true)]
    [InlineData("a/..", 5, false)]
    [InlineData("../a/../b", 5, false)]
    [InlineData("..a/b..", 0, true)]
    [InlineData("/a", 5, false)]
    [InlineData("a\uFFFD", 0, false)]
    public void A_link_stays_inside_its_tree(string target, int depth, bool stays) => Assert.Equal(stays, TreeLink.StaysInside(target, depth));

    [Fact]
    public async Task A_file_that_was_asked_for_is_no_folder()
    {
        await ReceiveAsync("\0d 0 1 755 /var/log/app.log\0", "/var/log/app.log", isLiteral: true, recurses: false);
        Assert.Single(_failures).ShouldBe(ErrorCatalogue.ItemNeedsRecurse);
        Assert.Equal(["in"], Entries());
    }

    [Theory]
    [InlineData("/a/*", "/a/b", true)]
    [InlineData("/a/*", "/a/", true)]
    [InlineData("/a/*", "/a/.b", false)]
    [InlineData("/a/.*", "/a/.b", true)]
    [InlineData("/a/*b*c", "/a/xbxcxc", true)]
    [InlineData("/a/*b*c", "/a/xcxb", false)]
    [InlineData("/a/?", "/a/bc", false)]
    [InlineData("/*/b", "/a/b", true)]
    [InlineData("/*/b", "/a/a/b", false)]
    [InlineData("/a/[!b-d]", "/a/e", true)]
    [InlineData("/a/[!b-d]", "/a/c", false)]
    [InlineData("/a/[^-]", "/a/-", false)]
    [InlineData("/a/x[!-a]", "/a/x/", false)]
    [InlineData("/a/[]x]", "/a/]", true)]
    [InlineData("/a/[", "/a/[", true)]
    [InlineData("/a/`[b`]*", "/a/[b]c", true)]
    [InlineData("/a/`**", "/a/*b", true)]
    [InlineData("/a/`**", "/a/bb", false)]
    [InlineData(@"/a/b\?", @"/a/b\c", true)]
    [InlineData("/a/b.*", "/a/bxc", false)]
    [InlineData("/a/*", "/a/b\nc", true)]
    [InlineData("/a/*", "/a/b\n/c", false)]
    public void What_the_guest_s_shell_finds_matches_here(string pattern, string path, bool matches) =>
        Assert.Equal(matches, GuestPattern.Matcher(GuestPattern.ShellPattern(pattern)).IsMatch(path));

    [Fact]
    public void A_long_name_is_matched_soon()
    {
        var matcher = GuestPattern.Matcher("/" + string.Concat(Enumerable.Repeat("*a", 20)) + "b");
        Assert.DoesNotMatch(matcher, "/" + new string('a', 5000));
    }

    [Fact]
    public async Task Times_beyond_all_calendars_are_left_out()
    {
        await ReceiveAsync("\0d 0 9999999999999999 755 /tree\0d 0 -99999999999 755 /tree/sub\0");
        Assert.Empty(_failures);
        Assert.Equal(["in", "in/tree", "in/tree/sub"], Entries());
    }

    [Theory]
    [InlineData("a.txt", null, null)]
    [InlineData("ünï 漢字", null, null)]
    [InlineData("", "x", "x")]
    [InlineData(".", "x", "x")]
    [InlineData("..", "x", "x")]
    [InlineData("a/b", "x", "x")]
    [InlineData("a\0b", "x", "x")]
    [InlineData("a\\b", null, "x")]
    [InlineData("C:", null, "x")]
    [InlineData("file:stream", null, "x")]
    [InlineData("a*", null, "x")]
    [InlineData("line\nbreak", null, "x")]
    [InlineData("trailing.", null, "x")]
    [InlineData("trailing ", null, "x")]
    [InlineData("NUL", null, "x")]
    [InlineData("con.txt", null, "x")]
    [InlineData("Aux .x", null, "x")]
    [InlineData("COM1", null, "x")]
    [InlineData("lpt9.log", null, "x")]
    [InlineData("COM¹", null, "x")]
    [InlineData("conin$", null, "x")]
    [InlineData("console", null, null)]
    [InlineData("COM10", null, null)]
    public void Names_are_refused_by_the_system_that_they_come_to(string name, string? elsewhere, string? windows)
    {
        Assert.Equal(elsewhere is null, LocalName.Refuse(name, isWindows: false) is null);
        Assert.Equal(windows is null, LocalName.Refuse(name, isWindows: true) is null);
    }

    private IEnumerable<string> Entries() => _here
        .EnumerateFileSystemInfos("*", SearchOption.AllDirectories)
        .Select(entry => Path.GetRelativePath(_here.FullName, entry.FullName)).Order(StringComparer.Ordinal);

    // Whatever program the guest is to run, it answers with the list.
    private async Task ReceiveAsync(string list, string asked = "/tree", bool isLiteral = true, bool recurses = true)
    {
        var answers = new Queue<string>(["sha256 ok", list]);
        using var session = await EmbeddedEndpoint.Register($"hostile-{Guid.NewGuid()}", new EmbeddedGuestAgent(
            new EmbeddedGuestAgentOptions
            {
                Commands = new Dictionary<string, Func<JsonElement, JsonNode?>>
                {
                    ["guest-exec"] = _ => new JsonObject { ["pid"] = 1 },
                    ["guest-exec-status"] = _ => new JsonObject
                    {
                        ["exited"] = true,
                        ["exitcode"] = 0,
                        ["out-data"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(answers.Dequeue())),
                    },
                },
            })).Connect();
        var folder = _here.CreateSubdirectory("in");
        await GuestItems.ReceiveAsync(
            session, [asked], isLiteral, folder.FullName, new ItemCopyOptions { Recurse = recurses, Failed = _failures.Add }, null,
            TestContext.Current.CancellationToken).OrHang();
    }
}
