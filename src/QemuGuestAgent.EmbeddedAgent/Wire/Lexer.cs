namespace QemuGuestAgent.EmbeddedAgent.Wire;

/// <summary>Where the lexer is, and (from <see cref="Restart"/> on) what a byte does to it.</summary>
internal enum LexerState
{
    Start,
    Recovery,
    DoubleQuoted,
    DoubleQuotedEscape,
    SingleQuoted,
    SingleQuotedEscape,
    Minus,
    Zero,
    Digits,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    ExponentDigits,
    Keyword,

    /// <summary>Recovery is over; the byte is the first of a token.</summary>
    Restart,

    /// <summary>The token ended before the byte.</summary>
    EndBefore,

    /// <summary>The token ends with the byte.</summary>
    EndAfter,

    /// <summary>The byte is a token of its own.</summary>
    Structural,

    /// <summary>No token has this byte here.</summary>
    Error,
}

/// <summary>The lexer's transitions.</summary>
internal static class Lexer
{
    public static LexerState Next(LexerState state, byte value) => state switch
    {
        LexerState.Start => Begin(value),
        LexerState.Recovery => value is < 0x20 or >= 0xFE || IsStructural(value) ? LexerState.Restart : LexerState.Recovery,
        LexerState.DoubleQuoted => InString(value, (byte)'"', LexerState.DoubleQuoted, LexerState.DoubleQuotedEscape),
        LexerState.SingleQuoted => InString(value, (byte)'\'', LexerState.SingleQuoted, LexerState.SingleQuotedEscape),
        LexerState.DoubleQuotedEscape => IsInString(value) ? LexerState.DoubleQuoted : LexerState.Error,
        LexerState.SingleQuotedEscape => IsInString(value) ? LexerState.SingleQuoted : LexerState.Error,
        LexerState.Keyword => IsLetter(value) ? LexerState.Keyword : LexerState.EndBefore,
        _ => InNumber(state, value),
    };

    public static TokenType StructuralType(byte value) => value switch
    {
        (byte)'{' => TokenType.LeftBrace,
        (byte)'}' => TokenType.RightBrace,
        (byte)'[' => TokenType.LeftBracket,
        (byte)']' => TokenType.RightBracket,
        (byte)':' => TokenType.Colon,
        _ => TokenType.Comma,
    };

    private static LexerState Begin(byte value) => value switch
    {
        (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' => LexerState.Start,
        (byte)'"' => LexerState.DoubleQuoted,
        (byte)'\'' => LexerState.SingleQuoted,
        (byte)'-' => LexerState.Minus,
        (byte)'0' => LexerState.Zero,
        _ when IsDigit(value) => LexerState.Digits,
        _ when IsLetter(value) => LexerState.Keyword,
        _ => IsStructural(value) ? LexerState.Structural : LexerState.Error,
    };

    private static LexerState InString(byte value, byte quote, LexerState self, LexerState escape) =>
        value == quote ? LexerState.EndAfter
        : value == '\\' ? escape
        : IsInString(value) ? self
        : LexerState.Error;

    private static LexerState InNumber(LexerState state, byte value)
    {
        var isDigit = IsDigit(value);
        var isExponent = value is (byte)'e' or (byte)'E';
        return state switch
        {
            LexerState.Minus => value == '0' ? LexerState.Zero : isDigit ? LexerState.Digits : LexerState.Error,
            LexerState.Zero => isDigit ? LexerState.Error : value == '.' ? LexerState.Point : LexerState.EndBefore,
            LexerState.Digits when isDigit => LexerState.Digits,
            LexerState.Digits when value == '.' => LexerState.Point,
            LexerState.Fraction or LexerState.Point when isDigit => LexerState.Fraction,
            LexerState.Digits or LexerState.Fraction => isExponent ? LexerState.Exponent : LexerState.EndBefore,
            LexerState.Exponent when value is (byte)'+' or (byte)'-' => LexerState.ExponentSign,
            LexerState.Exponent or LexerState.ExponentSign or LexerState.ExponentDigits when isDigit => LexerState.ExponentDigits,
            LexerState.ExponentDigits => LexerState.EndBefore,
            _ => LexerState.Error,
        };
    }

    private static bool IsStructural(byte value) =>
        value is (byte)'{' or (byte)'}' or (byte)'[' or (byte)']' or (byte)':' or (byte)',';

    private static bool IsInString(byte value) => value is >= 0x20 and < 0xFE;

    private static bool IsDigit(byte value) => value is >= (byte)'0' and <= (byte)'9';

    private static bool IsLetter(byte value) => value is >= (byte)'a' and <= (byte)'z';
}
