using System.Globalization;
using System.Text;

namespace QemuGuestAgent.EmbeddedAgent.Guest;

/// <summary>The programs that the guest has, in /bin and /usr/bin.</summary>
internal static class BuiltInPrograms
{
    public static readonly IReadOnlyList<string> DefaultEnvironment =
        ["LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];

    private const string ShellCharacters = "'\"\\|&;<>()$`*?[]{}#~!=\n";

    private static readonly Dictionary<string, Func<ProgramInput, ProgramOutcome>> Programs = new()
    {
        ["cat"] = Cat,
        ["echo"] = Echo,
        ["false"] = _ => Exit(1),
        ["kill"] = Kill,
        ["printenv"] = PrintEnvironment,
        ["sh"] = Shell,
        ["sleep"] = Sleep,
        ["true"] = _ => Exit(0),
    };

    /// <summary>Finds a program as <c>execvp</c> does.</summary>
    public static Func<ProgramInput, ProgramOutcome> Find(string path, MemoryFileSystem files)
    {
        var slash = path.LastIndexOf('/');
        if (slash < 0 || path.Substring(0, slash) is "/bin" or "/usr/bin")
        {
            return Programs.TryGetValue(path.Substring(slash + 1), out var program)
                ? program
                : throw new ErrnoException(Errno.NoEntry);
        }

        // What opens is there, and not to be executed.
        files.Open(path, new OpenMode(CanRead: true, CanWrite: false, Creates: false, Truncates: false, Appends: false));
        throw new ErrnoException(Errno.AccessDenied);
    }

    private static ProgramOutcome Exit(int code, string output = "", string errors = "") =>
        new(code, Encoding.UTF8.GetBytes(output), Encoding.UTF8.GetBytes(errors));

    private static ProgramOutcome Echo(ProgramInput input) =>
        input.Arguments.Count > 0 && input.Arguments[0] == "-n"
            ? Exit(0, string.Join(" ", input.Arguments.Skip(1)))
            : Exit(0, string.Join(" ", input.Arguments) + "\n");

    private static ProgramOutcome Cat(ProgramInput input)
    {
        var output = new MemoryStream();
        var errors = new StringBuilder();
        foreach (var path in input.Arguments.DefaultIfEmpty("-"))
        {
            try
            {
                var bytes = path == "-"
                    ? input.Input
                    : input.Machine.Files.Open(path, OpenMode.Parse("r")!.Value).Read(int.MaxValue);
                output.Write(bytes, 0, bytes.Length);
            }
            catch (ErrnoException e)
            {
                errors.Append("cat: ").Append(path).Append(": ").Append(e.Message).Append('\n');
            }
        }

        return new ProgramOutcome(errors.Length == 0 ? 0 : 1, output.ToArray(), Encoding.UTF8.GetBytes(errors.ToString()));
    }

    private static ProgramOutcome PrintEnvironment(ProgramInput input)
    {
        if (input.Arguments.Count == 0)
        {
            return Exit(0, string.Concat(input.Environment.Select(variable => variable + "\n")));
        }

        var values = new List<string>();
        foreach (var name in input.Arguments)
        {
            values.AddRange(input.Environment
                .Where(variable => variable.StartsWith(name + "=", StringComparison.Ordinal))
                .Select(variable => variable.Remove(0, name.Length + 1) + "\n")
                .Take(1));
        }

        return Exit(values.Count == input.Arguments.Count ? 0 : 1, string.Concat(values));
    }

    private static ProgramOutcome Sleep(ProgramInput input)
    {
        if (input.Arguments.Count == 0)
        {
            return Exit(1, errors: "sleep: missing operand\nTry 'sleep --help' for more information.\n");
        }

        var total = TimeSpan.Zero;
        foreach (var argument in input.Arguments)
        {
            if (!decimal.TryParse(argument, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds))
            {
                return Exit(1, errors: $"sleep: invalid time interval ‘{argument}’\nTry 'sleep --help' for more information.\n");
            }

            total += TimeSpan.FromSeconds((double)Math.Min(seconds, int.MaxValue));
        }

        return Exit(0) with { Duration = total };
    }

    private static ProgramOutcome Kill(ProgramInput input)
    {
        var signal = 15;
        var targets = input.Arguments;
        if (targets.Count > 0 && targets[0].Length > 0 && targets[0][0] == '-')
        {
            signal = targets[0] switch { "-9" or "-KILL" => 9, "-2" or "-INT" => 2, "-1" or "-HUP" => 1, _ => 15 };
            targets = targets.Skip(1).ToArray();
        }

        var errors = "";
        foreach (var target in targets)
        {
            if (long.TryParse(target, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                && input.Processes.TryGetValue(id, out var process) && !process.HasExited(input.Machine.Now))
            {
                process.Kill(signal);
            }
            else
            {
                errors += $"kill: ({target}): No such process\n";
            }
        }

        return Exit(errors.Length == 0 ? 0 : 1, errors: errors);
    }

    // A shell that runs one simple command, and says so of what is more.
    private static ProgramOutcome Shell(ProgramInput input)
    {
        if (input.Arguments.Count < 2 || input.Arguments[0] != "-c")
        {
            return Exit(2, errors: "sh: 0: the shell of this simulated guest only knows -c\n");
        }

        var script = input.Arguments[1];
        if (script.Any(c => ShellCharacters.Contains(c)))
        {
            return Exit(2, errors: "sh: 1: the shell of this simulated guest only knows a program and its plain arguments\n");
        }

        var words = script.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0)
        {
            return Exit(0);
        }

        if (words[0] == "exit")
        {
            return words.Length == 1 ? Exit(0)
                : int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var code) ? Exit(code & 0xFF)
                : Exit(2, errors: $"sh: 1: exit: Illegal number: {words[1]}\n");
        }

        try
        {
            return Find(words[0], input.Machine.Files)(input with { Arguments = words.Skip(1).ToArray() });
        }
        catch (ErrnoException e)
        {
            return e.Message == Errno.AccessDenied
                ? Exit(126, errors: $"sh: 1: {words[0]}: {e.Message}\n")
                : Exit(127, errors: $"sh: 1: {words[0]}: not found\n");
        }
    }
}
