using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Text.RegularExpressions;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Commands;

/// <summary>
/// Refuses ambiguous command lines. PowerShell accepts the start of a parameter's name as the parameter, so that an
/// option of a program, such as rm's -f, would silently become one of the cmdlet, such as -FilePath.
/// </summary>
internal sealed class CommandLineCheck
{
    private const string EndOfParameters = "--";

    // The note property by which PowerShell marks a parameter name in $args.
    private const string NameMark = "<CommandParameterName>";

    // All characters that PowerShell's parser accepts as a dash.
    private static readonly char[] Dashes = ['-', '\u2013', '\u2014', '\u2015'];

    private static readonly Regex LineBreak = new(@"\s*`?\r?\n\s*", RegexOptions.CultureInvariant);

    private readonly PSCmdlet _cmdlet;
    private readonly string _text;
    private readonly IReadOnlyList<CommandElementAst> _elements;
    private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _given = new(StringComparer.OrdinalIgnoreCase);

    private CommandLineCheck(PSCmdlet cmdlet, string text, IReadOnlyList<CommandElementAst> elements)
    {
        _cmdlet = cmdlet;
        _text = text;
        _elements = elements;
        foreach (var parameter in cmdlet.MyInvocation.MyCommand.Parameters.Values)
        {
            if (!parameter.Attributes.OfType<ParameterAttribute>().Any(attribute => attribute.DontShow))
            {
                _names.UnionWith([parameter.Name, .. parameter.Aliases]);
            }
        }
    }

    /// <summary>Checks the command line that called a cmdlet.</summary>
    /// <param name="cmdlet">The cmdlet, after its parameters are bound.</param>
    /// <param name="hasOption">Whether PowerShell has bound a one-letter name that is not a parameter's.</param>
    /// <exception cref="GuestAgentException">ProgramOptionAmbiguous, ProgramNamedTwice, ProgramArgumentSplit.</exception>
    public static void Check(PSCmdlet cmdlet, bool hasOption)
    {
        // There is no text if a program calls the cmdlet: it passes parameters and arguments separately.
        var text = StatementOf(cmdlet.MyInvocation);
        if (Parser.ParseInput(text, out _, out _).Find(ast => ast is CommandAst, searchNestedScriptBlocks: false) is CommandAst command)
        {
            new CommandLineCheck(cmdlet, text, command.CommandElements).Run();
        }

        if (hasOption)
        {
            var name = cmdlet.MyInvocation.MyCommand.Name;
            throw ErrorCatalogue.ProgramOptionAmbiguous.WithTarget(null, "A one-letter option", name, $"{name} … {EndOfParameters} …");
        }
    }

    private void Run()
    {
        var end = Enumerable.Range(1, _elements.Count - 1).Where(i => _elements[i].Extent.Text == EndOfParameters)
            .Append(_elements.Count).First();
        for (var i = 1; i < end; i++)
        {
            i += CheckElement(i);
        }

        // Values splatted after it may still name parameters.
        for (var i = 1; i < _elements.Count; i++)
        {
            CheckSplatted(i);
        }

        if (end == _elements.Count && _given.Contains(nameof(ProgramCmdlet.FilePath)) && !_given.Contains(nameof(ProgramCmdlet.ArgumentList))
            && _cmdlet is ProgramCmdlet { ArgumentList.Length: > 0 } program)
        {
            throw ErrorCatalogue.ProgramNamedTwice.With(program.FilePath, program.ArgumentList[0]);
        }

        for (var i = end + 1; i + 1 < _elements.Count; i++)
        {
            CheckWhole(_elements[i], _elements[i + 1]);
        }
    }

    // Returns how many elements after it belong to it: the value of a parameter may begin with a dash.
    private int CheckElement(int number)
    {
        if (AsParameter(_elements[number]) is not { } parameter)
        {
            return Dashes.Contains(_elements[number].Extent.Text[0]) ? throw Ambiguous(_elements[number].Extent.Text, number) : 0;
        }

        _given.Add(parameter.ParameterName);
        var next = _elements.ElementAtOrDefault(number + 1);
        return parameter.Argument is null && next is not (null or CommandParameterAst) && !IsSwitch(parameter.ParameterName) ? 1 : 0;
    }

    private void CheckSplatted(int number)
    {
        if (_elements[number] is not VariableExpressionAst { Splatted: true } variable)
        {
            return;
        }

        var value = _cmdlet.GetVariableValue(variable.VariablePath.UserPath);
        if (value is IDictionary parameters)
        {
            _given.UnionWith(parameters.Keys.OfType<string>());
        }
        else if (value is IEnumerable items and not string)
        {
            foreach (var name in items.OfType<PSObject>().Select(item => item.Properties[NameMark]?.Value).OfType<string>())
            {
                _given.Add(_names.Contains(name) ? name : throw Ambiguous($"-{name}", number));
            }
        }
    }

    private CommandParameterAst? AsParameter(CommandElementAst element) =>
        element is CommandParameterAst parameter && _names.Contains(parameter.ParameterName) ? parameter : null;

    private bool IsSwitch(string name) => _cmdlet.MyInvocation.MyCommand.Parameters.Values
        .Any(parameter => parameter.SwitchParameter
            && parameter.Aliases.Prepend(parameter.Name).Contains(name, StringComparer.OrdinalIgnoreCase));

    // With the correct line: the program's arguments go after '--', or into an array.
    private GuestAgentException Ambiguous(string option, int number)
    {
        var isBehindEnd = _elements[number - 1].Extent.Text == EndOfParameters;
        var start = _elements[isBehindEnd ? number - 1 : number].Extent.StartOffset;
        var rest = _elements[number] is VariableExpressionAst splatted ? $"-ArgumentList ${splatted.VariablePath.UserPath}"
            : _cmdlet is ProgramCmdlet && !_cmdlet.MyInvocation.ExpectingInput ? $"{EndOfParameters} {_text.Substring(start)}"
            : $"-ArgumentList {string.Join(", ", _elements.Skip(number).TakeWhile(next => AsParameter(next) is null).Select(Quote))}";
        return ErrorCatalogue.ProgramOptionAmbiguous.WithTarget(
            option, $"'{option}'", _cmdlet.MyInvocation.MyCommand.Name, LineBreak.Replace($"{_text.Substring(0, start)}{rest}", " "));
    }

    private static string Quote(CommandElementAst element) =>
        Dashes.Contains(element.Extent.Text[0]) ? $"'{element.Extent.Text}'" : element.Extent.Text;

    // PowerShell splits '-o:3' into '-o:' and '3'.
    private static void CheckWhole(CommandElementAst element, CommandElementAst next)
    {
        if (element.Extent.EndOffset == next.Extent.StartOffset)
        {
            var argument = $"{element.Extent.Text}{next.Extent.Text}";
            throw ErrorCatalogue.ProgramArgumentSplit.With(argument);
        }
    }

    private static string StatementOf(InvocationInfo invocation)
    {
#if NET
        // Public since PowerShell 7.4.
        return typeof(InvocationInfo).GetProperty("Statement")!.GetValue(invocation) as string ?? "";
#else
        var position = typeof(InvocationInfo).GetProperty(
            "ScriptPosition", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic);
        return (position?.GetValue(invocation) as IScriptExtent)?.Text ?? "";
#endif
    }
}
