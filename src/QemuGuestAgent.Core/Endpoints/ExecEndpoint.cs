using System.ComponentModel;
using System.Text;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>
/// The standard input and output of a program, which is started for it and ends with it, even if this process ends first: ssh,
/// socat, the exec of a container.
/// </summary>
public sealed class ExecEndpoint : GuestAgentEndpoint
{
    /// <summary>The kind in the grammar.</summary>
    public static readonly EndpointKind Kind = new("exec", "exec:program arguments (quotes protect spaces)", Parse);

    /// <summary>Creates an endpoint for a program.</summary>
    /// <param name="program">Its path, or its name on the PATH.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <exception cref="FormatException">It is empty, or contains a NUL character.</exception>
    public ExecEndpoint(string program, params string[] arguments)
    {
        if (program.Length == 0)
        {
            throw new FormatException("it has no program");
        }

        if (arguments.Append(program).Any(word => word.Contains('\0')))
        {
            throw new FormatException("it contains a NUL character");
        }

        Program = program;
        Arguments = arguments;
    }

    /// <summary>The program's path, or its name on the PATH.</summary>
    public string Program { get; }

    /// <summary>Its arguments.</summary>
    public IReadOnlyList<string> Arguments { get; }

    /// <inheritdoc/>
    public override Task<Stream> OpenAsync(CancellationToken cancellationToken) => Task.Run<Stream>(Open, cancellationToken);

    /// <inheritdoc/>
    public override string ToString() => TextOf(Program, Arguments);

    /// <summary>The text of an endpoint, whether it is valid or not.</summary>
    internal static string TextOf(string program, IEnumerable<string> arguments) =>
        $"{Kind.Scheme}:{string.Join(" ", arguments.Prepend(program).Select(Quote))}";

    private ProcessStream Open()
    {
        if (Path.DirectorySeparatorChar != '\\' && !IsThere())
        {
            throw ErrorCatalogue.EndpointProgramNotStarted.With(this, $"'{Program}' does not exist");
        }

        try
        {
            return new ProcessStream(Program, ChannelProgram.Start(Program, Arguments));
        }
        catch (Win32Exception e)
        {
            throw ErrorCatalogue.EndpointProgramNotStarted.Because(e, this, e.Message);
        }
    }

    // Searched for as a shell would.
    private bool IsThere() => Program.Contains('/')
        ? File.Exists(Program)
        : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, Program)));

    private static ExecEndpoint Parse(string rest)
    {
        var words = Split(rest);
        return words.Count > 0 ? new ExecEndpoint(words[0], [.. words.Skip(1)]) : throw new FormatException("it has no program");
    }

    // Words as a shell splits them, with quotes and nothing else: a backslash is an ordinary character.
    private static List<string> Split(string text)
    {
        var words = new List<string>();
        StringBuilder? word = null;
        char? quote = null;
        foreach (var c in text)
        {
            if (c == quote)
            {
                quote = null;
            }
            else if (quote is null && c is '\'' or '"')
            {
                quote = c;
                word ??= new StringBuilder();
            }
            else if (quote is null && char.IsWhiteSpace(c))
            {
                End();
            }
            else
            {
                (word ??= new StringBuilder()).Append(c);
            }
        }

        End();
        return quote is null ? words : throw new FormatException($"its quote {quote} is not closed");

        void End()
        {
            if (word is not null)
            {
                words.Add(word.ToString());
                word = null;
            }
        }
    }

    private static string Quote(string word) =>
        word.Length > 0 && !word.Any(c => char.IsWhiteSpace(c) || c is '\'' or '"') ? word
        : $"'{word.Replace("'", "'\"'\"'")}'";
}
