using System.Runtime.Versioning;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Posix;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

/// <summary>Lists of a guest that has more files than its agent takes as text.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ListTests : RealGuestTests
{
    private const int Files = 150_000;

    private readonly string _tools = new LabFolder().FullPath;

    private protected override RealAgentBinary Binary() => RealAgentBinary.Installed() with { Tools = _tools };

    [Fact]
    public async Task A_hundred_and_fifty_thousand_files_are_listed()
    {
        MakeFind($"seq {Files} | sed 's,^,f 3 1 644 /usr/{new string('x', 100)}/,' | tr '\\n' '\\0'");
        var items = await ListAsync(await FindToolsAsync());
        Assert.Equal(Files + 1, items.Count);
        Assert.Equal($"/usr/{new string('x', 100)}/{Files}", items[^1].Path);
    }

    [Theory]
    [InlineData("yes f 3 1 644 /usr/x | tr '\\n' '\\0'")]
    [InlineData("tr '\\0' x </dev/zero")]
    public async Task A_list_without_end_is_an_error(string items)
    {
        MakeFind(items);
        (await Assert.ThrowsAsync<GuestAgentException>(async () => await ListAsync(await FindToolsAsync(1 << 20))))
            .ShouldBe(ErrorCatalogue.GuestFolderTooLarge);
    }

    // One that can print, as the probe finds, and lies.
    private void MakeFind(string items)
    {
        var find = Path.Combine(_tools, "find");
        File.WriteAllText(find, $"""
            #!/bin/sh
            case $* in *maxdepth\ 0*) exit ;; esac
            printf 'd 0 1 755 /usr\0'
            {items}
            """);
        File.SetUnixFileMode(find, (UnixFileMode)Convert.ToInt32("755", 8));
    }

    private async Task<PosixFileTools> FindToolsAsync(int? maxListed = null)
    {
        var (tools, _) = await PosixFileTools.FindAsync(Session, new OperationTime(Session.Clock, new CallOptions { Timeout = TimeSpan.Zero }), TestEnd);
        var found = Assert.IsType<PosixFileTools>(tools);
        found.MaxListed = maxListed ?? found.MaxListed;
        return found;
    }

    private static Task<List<GuestItem>> ListAsync(PosixFileTools tools) => tools.ListAsync("/usr", false, true, false, TestEnd).OrHang();
}
