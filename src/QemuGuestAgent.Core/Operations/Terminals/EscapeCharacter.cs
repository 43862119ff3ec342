using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Operations.Terminals;

/// <summary>The key that leaves a terminal: it is not sent to the guest, and all that follows it neither.</summary>
/// <param name="Code">Its byte; null where no key does.</param>
public readonly record struct EscapeCharacter(byte? Code)
{
    private const byte ControlMask = 0x1F;

    /// <summary>Reads <c>^]</c> and the like, one ASCII character, or <c>none</c>.</summary>
    /// <exception cref="GuestAgentException">EscapeCharacterInvalid.</exception>
    public static EscapeCharacter Parse(string text)
    {
        if (string.Equals(text, "none", StringComparison.OrdinalIgnoreCase))
        {
            return new EscapeCharacter(null);
        }

        return text switch
        {
            [var c and < (char)0x80] => new EscapeCharacter((byte)c),
            ['^', var c and (>= '@' and <= '_' or >= 'a' and <= 'z')] => new EscapeCharacter((byte)(c & ControlMask)),
            _ => throw ErrorCatalogue.EscapeCharacterInvalid.With(text),
        };
    }

    /// <summary>How many of the bytes come before it: all, or fewer where it is among them. No byte of a longer character of UTF-8 is it.</summary>
    public int CountBefore(ReadOnlySpan<byte> typed) => Code is { } code && typed.IndexOf(code) is >= 0 and var index ? index : typed.Length;

    /// <summary>As it is on a keyboard.</summary>
    public override string ToString() => Code switch
    {
        null => "none",
        <= ControlMask and var code => $"Ctrl+{(char)(code | 0x40)}",
        var code => $"{(char)code.Value}",
    };
}
