using System.Collections;
using System.Management.Automation;
using System.Net;
using System.Security;
using System.Text;

namespace QemuGuestAgent.Conversion;

/// <summary>Converts PowerShell values to the input and environment of a program in a guest.</summary>
internal static class ProgramInput
{
    /// <summary>What encodes a program's standard input later: bytes unchanged, and anything else as a line of text.</summary>
    public static Func<Encoding, byte[]> Read(object input)
    {
        if (ArgumentConverter.Unwrap(input) is byte[] bytes)
        {
            return _ => bytes;
        }

        var parts = new List<object>();
        foreach (var item in LanguagePrimitives.GetEnumerable(input) ?? new[] { input })
        {
            parts.Add((item is null ? null : ArgumentConverter.Unwrap(item)) switch
            {
                byte one => new[] { one },
                byte[] part => part,
                _ => Text(item) + "\n",
            });
        }

        return encoding => [.. parts.SelectMany(part => part as byte[] ?? encoding.GetBytes((string)part))];
    }

    /// <summary>Environment variables; null values are kept.</summary>
    public static IReadOnlyDictionary<string, string?> Variables(IDictionary variables)
    {
        var result = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (DictionaryEntry variable in variables)
        {
            result[Text(variable.Key)] = variable.Value is { } value ? Text(value) : null;
        }

        return result;
    }

    private static string Text(object? value) =>
        value is not null && ArgumentConverter.Unwrap(value) is SecureString secret
            ? new NetworkCredential("", secret).Password
            : LanguagePrimitives.ConvertTo<string>(value);
}
