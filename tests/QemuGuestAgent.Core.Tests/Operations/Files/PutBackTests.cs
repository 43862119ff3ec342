using System.Runtime.Versioning;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

/// <summary>A guest where a file can neither be written in place nor be put back.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class PutBackTests : RealGuestTests
{
    private protected override RealAgentBinary Binary()
    {
        var tools = new LabFolder().FullPath;
        var cat = Path.Combine(tools, "cat");
        File.WriteAllText(cat, "#!/bin/sh\necho broken >&2\nexit 1\n");
        File.SetUnixFileMode(cat, (UnixFileMode)Convert.ToInt32("755", 8));
        return RealAgentBinary.Installed() with { Tools = tools };
    }

    [Fact]
    public async Task What_cannot_be_put_back_is_kept_and_the_error_says_where()
    {
        var here = Path.GetTempFileName();
        try
        {
            var target = Agent.GuestPath("target");
            File.WriteAllText(target, "old");
            Assert.Equal(0, CopyTests.Run("ln", target, target + ".other"));
            var failures = new List<GuestAgentException>();
            await GuestItems.SendAsync(
                Session, [here], target, new ItemCopyOptions { Force = true, Failed = failures.Add }, null, TestEnd).OrHang();
            var failure = Assert.Single(failures).ShouldBe(ErrorCatalogue.GuestFileNotWritten);
            var folder = Assert.Single(Directory.EnumerateDirectories(Path.GetDirectoryName(target)!, ".target.*"));
            Assert.Equal(["saved"], Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName));
            Assert.Equal("old", File.ReadAllText(Path.Combine(folder, "saved")));
            Assert.Contains($"what was in it is in {folder}/saved now.", failure.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(here);
        }
    }
}
