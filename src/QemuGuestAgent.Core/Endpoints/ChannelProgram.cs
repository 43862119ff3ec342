using System.Diagnostics;

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>How a program is started whose standard streams are a channel.</summary>
internal static class ChannelProgram
{
    // Ctrl+C at the prompt reaches all processes of the terminal, but is not meant for the channel.
    private const string Launcher = "trap '' INT; exec \"$0\" \"$@\"";

    /// <summary>Describes the start of a program, all of whose standard streams are redirected.</summary>
    /// <param name="program">Its path, or its name on the PATH.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="launcher">The script of sh that starts it, on systems that have sh.</param>
    public static ProcessStartInfo Start(string program, IEnumerable<string> arguments, string? launcher = null)
    {
        var isWindows = Path.DirectorySeparatorChar == '\\';
        var start = new ProcessStartInfo
        {
            FileName = isWindows ? program : "/bin/sh",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
#if NET
        foreach (var argument in isWindows ? arguments : ["-c", launcher ?? Launcher, program, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }
#else
        start.Arguments = WindowsCommandLine.Of(arguments);
#endif
        return start;
    }

    /// <summary>The path of a program on the PATH; null where there is none. What is in the current folder does not count.</summary>
    public static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Where(Path.IsPathRooted).Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
