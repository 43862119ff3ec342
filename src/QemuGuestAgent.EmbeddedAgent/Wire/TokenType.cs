namespace QemuGuestAgent.EmbeddedAgent.Wire;

internal enum TokenType
{
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    Colon,
    Comma,
    String,
    Number,
    Keyword,
}
