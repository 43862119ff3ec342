using System.Diagnostics;

namespace QemuGuestAgent.Core.Tests;

/// <summary>The tests' own program as a process, for what shows in another process only. Program.cs knows what it is to do.</summary>
internal static class TestHost
{
    /// <summary>Starts it; its output is to be read.</summary>
    public static Process Start(params string[] arguments)
    {
        var program = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(program.FileName) == "dotnet")
        {
            program.ArgumentList.Add(typeof(TestHost).Assembly.Location);
        }

        foreach (var argument in arguments)
        {
            program.ArgumentList.Add(argument);
        }

        return Process.Start(program)!;
    }
}
