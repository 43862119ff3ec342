using System.Runtime.Versioning;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

/// <summary>Labels in a guest with SELinux, as far as its programs can be played: what they are called with, and when.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class LabelTests : RealGuestTests
{
    private readonly LabFolder _tools = new();

    private string Log => Path.Combine(_tools.FullPath, "log");

    private protected override RealAgentBinary Binary()
    {
        Make("selinuxenabled", "exit 0");
        Make("restorecon", $"""for file; do [ "$file" = -- ] || realpath "$file" >>"{Log}"; done""");

        // Without SELinux in the kernel cp refuses to keep a label.
        Make("cp", $"""
            case $* in *,context*) echo cp >>"{Log}" ;; esac
            for given; do shift; case $given in *,context) given=$(printf %s "$given" | sed s/,context//) ;; esac; set -- "$@" "$given"; done
            exec /bin/cp "$@"
            """);
        return RealAgentBinary.Installed() with { Tools = _tools.FullPath };
    }

    [Fact]
    public async Task A_new_file_and_folder_get_the_label_of_their_place_and_what_is_replaced_keeps_its_own()
    {
        var here = Directory.CreateTempSubdirectory("labels-");
        try
        {
            var tree = here.CreateSubdirectory("tree").FullName;
            File.WriteAllText(Path.Combine(tree, "file"), "new");
            var guest = Agent.GuestPath("guest");
            Directory.CreateDirectory(guest);
            var options = new ItemCopyOptions { Recurse = true, Force = true, Warn = Assert.Fail, Failed = e => Assert.Fail(e.Message) };
            await GuestItems.SendAsync(Session, [tree], guest, options, null, TestEnd).OrHang();
            await GuestContent.WriteAsync(Session, Path.Combine(guest, "content"), new byte[3], [], false, Assert.Fail, null, TestEnd).OrHang();
            Assert.Equal(
                [Path.Combine(guest, "tree/file"), Path.Combine(guest, "tree"), Path.Combine(guest, "content")], File.ReadAllLines(Log));
            File.Delete(Log);
            await GuestItems.SendAsync(Session, [tree], guest, options, null, TestEnd).OrHang();
            await GuestContent.WriteAsync(Session, Path.Combine(guest, "content"), new byte[3], [], false, Assert.Fail, null, TestEnd).OrHang();
            Assert.Equal(["cp"], File.ReadAllLines(Log));
        }
        finally
        {
            here.Delete(recursive: true);
        }
    }

    private void Make(string name, string script)
    {
        var path = Path.Combine(_tools.FullPath, name);
        File.WriteAllText(path, "#!/bin/sh\n" + script + "\n");
        File.SetUnixFileMode(path, (UnixFileMode)Convert.ToInt32("755", 8));
    }
}
