using System.Text;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;

namespace QemuGuestAgent.Core.Guests.Windows;

/// <summary>
/// Programs of Windows as a script of ours starts them: with the one line that they make arguments of. The agent's own line is that of
/// C's rules, which cmd does not know, and lacks empty arguments.
/// </summary>
internal static class WindowsProgram
{
    private static readonly string[] Batch = [".bat", ".cmd"];

    /// <summary>Whether the agent itself does not start it as it is meant.</summary>
    public static bool NeedsScript(GuestProcessStart start) =>
        start.WorkingDirectory is not null || start.Environment is not null || start.Input is { Length: > WindowsScripts.MaxInput }
        || start.Arguments.Any(argument => argument.Length == 0)
        || (IsBatch(start.FilePath) && start.Arguments.Count > 0)
        || (IsCmd(start.FilePath) && start.Arguments.Any(argument => argument.Contains('"')));

    /// <summary>What New-Start of Program.ps1 takes: the file, the line, the folder, and the changes of variables.</summary>
    /// <exception cref="GuestAgentException">BatchArgumentInvalid: a batch file cannot be given a line break.</exception>
    public static IReadOnlyList<string> Of(GuestProcessStart start)
    {
        var (file, line) = IsBatch(start.FilePath) ? ("cmd.exe", BatchLine(start))
            : (start.FilePath, IsCmd(start.FilePath) ? CmdLine(start.Arguments) : WindowsCommandLine.Of(start.Arguments));
        var changes = start.Environment?.Select(change => change.Value is { } value ? $"{change.Key}={value}" : change.Key) ?? [];
        return [file, line, start.WorkingDirectory ?? "", start.ReplacesEnvironment ? "replace" : "change", .. changes];
    }

    private static bool IsBatch(string path) => Batch.Any(end => path.EndsWith(end, StringComparison.OrdinalIgnoreCase));

    private static bool IsCmd(string path) => GuestPath.Windows.Name(path).ToUpperInvariant() is "CMD" or "CMD.EXE";

    // What follows /c is for cmd itself to read: with /s it takes the outer quotes off, and has the rest as it was given.
    private static string CmdLine(IReadOnlyList<string> arguments)
    {
        var at = 0;
        while (at < arguments.Count && arguments[at].ToUpperInvariant() is not ("/C" or "/K" or "/R"))
        {
            at++;
        }

        if (at == arguments.Count)
        {
            return string.Join(" ", arguments.Select(Quoted));
        }

        var rest = arguments.Skip(at + 1).ToList();
        var command = rest.Count == 1 ? rest[0] : string.Join(" ", rest.Select(Quoted));
        return string.Join(" ", [.. arguments.Take(at), "/s", arguments[at], $"\"{command}\""]);
    }

    // As PowerShell does for cmd: quotes around what has blanks, and none changed.
    private static string Quoted(string argument) =>
        argument.Length == 0 || (argument.IndexOfAny([' ', '\t']) >= 0 && argument[0] != '"') ? $"\"{argument}\"" : argument;

    // In quotes cmd reads nothing but '%', which an empty part of a variable that is always there hides; and quotes, which it wants twice.
    private static string BatchLine(GuestProcessStart start)
    {
        var line = new StringBuilder($"/e:on /v:off /d /s /c \"\"{start.FilePath}\"");
        foreach (var argument in start.Arguments)
        {
            if (argument.IndexOfAny(['\r', '\n', '\0']) >= 0)
            {
                throw ErrorCatalogue.BatchArgumentInvalid.With(argument);
            }

            var end = argument.Length - argument.TrimEnd('\\').Length;
            line.Append(" \"").Append(argument.Replace("\"", "\"\"").Replace("%", "%%cd:~,%")).Append('\\', end).Append('"');
        }

        return line.Append('"').ToString();
    }
}
