using System.Management.Automation;
using System.Management.Automation.Language;
using System.Text;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Conversion;

/// <summary>A script as it is sent to a guest: each <c>$using:name</c> becomes a variable, whose value is sent with the script.</summary>
internal sealed class ScriptSource
{
    private ScriptSource(string text, Dictionary<string, object?> variables) => (Text, Variables) = (text, variables);

    /// <summary>The script.</summary>
    public string Text { get; }

    /// <summary>The values of the variables to set for it, by name.</summary>
    public IReadOnlyDictionary<string, object?> Variables { get; }

    /// <summary>A script of text only.</summary>
    public static ScriptSource Of(string text) => new(text, []);

    /// <summary>A script block, with the variables of the shell that it uses.</summary>
    /// <exception cref="GuestAgentException">ScriptVariableNotSet.</exception>
    public static ScriptSource Of(ScriptBlock script, SessionState shell)
    {
        var variables = new Dictionary<string, object?>();
        if (script.Ast is not ScriptBlockAst { Extent: var extent } block)
        {
            return new ScriptSource(script.ToString(), variables);
        }

        var text = new StringBuilder(extent.Text);
        var uses = block.FindAll(ast => ast is UsingExpressionAst, searchNestedScriptBlocks: true)
            .Select(use => (VariableExpressionAst)use.Find(ast => ast is VariableExpressionAst, searchNestedScriptBlocks: false));

        // From the last to the first, so that the positions of the others stay valid.
        foreach (var use in uses.OrderByDescending(use => use.Extent.StartOffset))
        {
            var name = use.VariablePath.UserPath;

            // A variable of a drive, such as env:HOME, has a value but is not a PSVariable. In the guest a colon would mean a scope or drive again.
            var variable = use.VariablePath.IsDriveQualified ? null : shell.PSVariable.Get(name);
            var value = variable is not null ? variable.Value : shell.PSVariable.GetValue(name);
            if (variable is null && value is null)
            {
                throw ErrorCatalogue.ScriptVariableNotSet.With(name);
            }

            var thereName = $"__using_{name.Replace(":", "_colon_")}";
            variables[thereName] = value;
            var start = use.Extent.StartOffset - extent.StartOffset;
            var isSplatted = use.Splatted || text[start] == '@';
            text.Remove(start, use.Extent.EndOffset - use.Extent.StartOffset)
                .Insert(start, isSplatted ? $"@{thereName}" : $"${{{thereName}}}");
        }

        // The text of a nested script is put in braces.
        return new ScriptSource(block.Parent is null ? text.ToString() : text.ToString(1, text.Length - 2), variables);
    }
}
