using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Copying;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Copying;

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
    public async Task A_list_that_is_none_is_an_error(string list)
    {
        await ReceiveAsync(list);
        Assert.Single(_failures).Is(ErrorCatalogue.GuestFileNotRead);
        Assert.Equal(["in"], Entries());
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
    private async Task ReceiveAsync(string list)
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
            session, ["/tree"], true, folder.FullName, new ItemCopyOptions { Recurse = true, Failed = _failures.Add }, null,
            TestContext.Current.CancellationToken).OrHang();
    }
}
