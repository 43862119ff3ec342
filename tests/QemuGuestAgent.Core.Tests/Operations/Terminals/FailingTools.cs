using System.Runtime.Versioning;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Terminals;

/// <summary>Programs that an agent finds first, and that do not work: as if it had none.</summary>
[UnsupportedOSPlatform("windows")]
internal static class FailingTools
{
    /// <summary>A folder of them.</summary>
    public static string Folder(params string[] names)
    {
        var folder = new LabFolder();
        foreach (var name in names)
        {
            var path = folder.Combine(name);
            File.WriteAllText(path, "#!/bin/sh\nexit 1\n");
            File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
        }

        return folder.FullPath;
    }
}
