using System.Collections;
using System.Management.Automation;
using System.Net;
using System.Security;
using System.Text;

namespace QemuGuestAgent.Conversion;

/// <summary>Converts PowerShell values to the input and environment of a program in a guest.</summary>
internal static class ProgramInput
{
    /// <summary>The bytes for a program's standard input: bytes unchanged, and anything else as a line of text.</summary>
    public static byte[] Bytes(object input, Encoding encoding)
    {
        if (ArgumentConverter.Unwrap(input) is byte[] bytes)
        {
            return bytes;
        }

        var output = new MemoryStream();
        foreach (var item in LanguagePrimitives.GetEnumerable(input) ?? new[] { input })
        {
            switch (item is null ? null : ArgumentConverter.Unwrap(item))
            {
                case byte one:
                    output.WriteByte(one);
                    break;
                case byte[] part:
                    output.Write(part, 0, part.Length);
                    break;
                default:
                    var line = encoding.GetBytes(Text(item) + "\n");
                    output.Write(line, 0, line.Length);
                    break;
            }
        }

        return output.ToArray();
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
