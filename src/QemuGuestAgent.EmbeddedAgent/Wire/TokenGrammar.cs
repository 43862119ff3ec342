namespace QemuGuestAgent.EmbeddedAgent.Wire;

/// <summary>Which token may follow which. Its errors are QEMU's texts.</summary>
internal sealed class TokenGrammar
{
    /// <summary>What is said of any other value in the place of a key.</summary>
    public const string KeyIsNoString = "key is not a string in object";

    private enum Expected
    {
        Value,
        ValueOrEnd,
        Key,
        KeyOrEnd,
        Colon,
        SeparatorOrEnd,
    }

    // One entry for each open container: whether it is an object.
    private readonly Stack<bool> _open = new();

    private Expected _expected;

    /// <summary>Takes the next token; returns what is wrong with its place, or null.</summary>
    public string? Take(TokenType token)
    {
        switch (_expected)
        {
            case Expected.ValueOrEnd when token == TokenType.RightBracket:
            case Expected.KeyOrEnd when token == TokenType.RightBrace:
                return Close();
            case Expected.Value:
            case Expected.ValueOrEnd:
                return TakeValue(token);
            case Expected.Key:
            case Expected.KeyOrEnd:
                _expected = Expected.Colon;
                return token == TokenType.String ? null
                    : StartsValue(token) ? KeyIsNoString
                    : "expecting value";
            case Expected.Colon:
                _expected = Expected.Value;
                return token == TokenType.Colon ? null : "missing : in object pair";
            default:
                return TakeSeparator(token);
        }
    }

    public void Reset()
    {
        _open.Clear();
        _expected = Expected.Value;
    }

    private static bool StartsValue(TokenType token) =>
        token is TokenType.LeftBrace or TokenType.LeftBracket or TokenType.String or TokenType.Number or TokenType.Keyword;

    private string? TakeValue(TokenType token)
    {
        switch (token)
        {
            case TokenType.LeftBrace:
                _open.Push(true);
                _expected = Expected.KeyOrEnd;
                return null;
            case TokenType.LeftBracket:
                _open.Push(false);
                _expected = Expected.ValueOrEnd;
                return null;
            default:
                _expected = Expected.SeparatorOrEnd;
                return StartsValue(token) ? null : "expecting value";
        }
    }

    private string? TakeSeparator(TokenType token)
    {
        var inObject = _open.Peek();
        if (token == TokenType.Comma)
        {
            _expected = inObject ? Expected.Key : Expected.Value;
            return null;
        }

        if (token == (inObject ? TokenType.RightBrace : TokenType.RightBracket))
        {
            return Close();
        }

        return inObject ? "expected separator in dict" : "expected separator in list";
    }

    private string? Close()
    {
        _open.Pop();
        _expected = Expected.SeparatorOrEnd;
        return null;
    }
}
