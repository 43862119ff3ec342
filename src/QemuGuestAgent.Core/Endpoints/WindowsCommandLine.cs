using System.Text;

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>Windows passes a program one command line instead of arguments.</summary>
internal static class WindowsCommandLine
{
    /// <summary>The line that programs split into these arguments (CommandLineToArgvW): backslashes count double before a quote only.</summary>
    public static string Of(IEnumerable<string> arguments)
    {
        var line = new StringBuilder();
        foreach (var argument in arguments)
        {
            line.Append(line.Length > 0 ? " \"" : "\"");
            var backslashes = 0;
            foreach (var c in argument)
            {
                line.Append('\\', c == '"' ? backslashes + 1 : 0).Append(c);
                backslashes = c == '\\' ? backslashes + 1 : 0;
            }

            line.Append('\\', backslashes).Append('"');
        }

        return line.ToString();
    }
}
