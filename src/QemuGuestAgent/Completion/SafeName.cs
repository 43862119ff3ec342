using System.Management.Automation.Language;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Completion;

/// <summary>Writes a name, which may come from a guest, so that completing it puts nothing but that name on the command line.</summary>
internal static class SafeName
{
    /// <summary>The name as the key of a hashtable, where a dash needs quotes too.</summary>
    public static string Key(string name) => name.Contains('-') ? $"'{name}'" : name;

    /// <summary>The name as it is where it needs no quotes, else in single quotes.</summary>
    public static string Quote(string name)
    {
        var text = SafeText.Escape(name);
        return text.Length > 0 && text[0] != '-' && text.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' or ':' or '/')
            ? text
            : $"'{CodeGeneration.EscapeSingleQuotedStringContent(text)}'";
    }
}
