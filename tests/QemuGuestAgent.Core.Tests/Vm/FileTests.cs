using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Vm;

/// <summary>Files of a guest that has a system of its own, of busybox.</summary>
public sealed class FileTests : VmTest
{
    private readonly List<string> _troubles = [];

    [Fact]
    public async Task A_tree_goes_there_and_comes_back_and_what_is_replaced_keeps_owner_and_mode()
    {
        using var session = await Vm.BootAsync();
        using var here = new LabFolder();
        var tree = Path.Combine(here.FullPath, "tree");
        foreach (var i in Enumerable.Range(0, 60))
        {
            Directory.CreateDirectory(Path.Combine(tree, $"{i % 3}"));
            await File.WriteAllTextAsync(Path.Combine(tree, $"{i % 3}/{i}"), new string('x', 100 * i), TestEnd);
        }

        await File.WriteAllBytesAsync(Path.Combine(tree, "large"), new byte[400_000], TestEnd);
        File.CreateSymbolicLink(Path.Combine(tree, "0/link"), "../1");
        var copied = 0;
        var options = new ItemCopyOptions
        {
            Recurse = true,
            Force = true,
            Warn = _troubles.Add,
            Failed = error => _troubles.Add(error.Message),
            Copied = copy =>
            {
                copied += copy.Verified == CopyVerification.Sha256 ? 1 : 0;
                return Task.CompletedTask;
            },
        };
        await RunAsync(session, "mkdir -p /mnt/tree/1 && echo old >/mnt/tree/1/1 && chown 7:8 /mnt/tree/1/1 && chmod 640 /mnt/tree/1/1");
        await GuestItems.SendAsync(session, [tree], "/mnt", options, null, TestEnd);
        Assert.Equal("7:8 640 100", await RunAsync(session, "stat -c '%u:%g %a %s' /mnt/tree/1/1"));
        Assert.Equal("../1", await RunAsync(session, "readlink /mnt/tree/0/link"));
        var back = Path.Combine(here.FullPath, "back");
        await GuestItems.ReceiveAsync(session, ["/mnt/tree"], true, back, options, null, TestEnd);

        Assert.Empty(_troubles);
        Assert.Equal(2 * 61, copied);
        Assert.Equal("../1", new FileInfo(Path.Combine(back, "0/link")).LinkTarget);
        Assert.All(
            Enumerable.Range(0, 60).Select(i => $"{i % 3}/{i}").Append("large"),
            name => Assert.Equal(File.ReadAllBytes(Path.Combine(tree, name)), File.ReadAllBytes(Path.Combine(back, name))));
        Assert.Equal("", await RunAsync(session, "find /mnt -name '*.partial'"));
    }
}
