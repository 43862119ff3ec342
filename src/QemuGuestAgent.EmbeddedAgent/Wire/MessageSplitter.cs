namespace QemuGuestAgent.EmbeddedAgent.Wire;

/// <summary>
/// Cuts the bytes that a client sends into JSON values, as QEMU's lexer and streamer do: a line feed ends nothing, 0xFF and
/// other bytes that no token has throw away what was collected and give an error, and values may follow each other unseparated.
/// </summary>
internal sealed class MessageSplitter
{
    private const int MaxTokenBytes = 64 << 20;
    private const int MaxTokens = 2 << 20;
    private const int MaxNesting = 1 << 10;

    // The tokens of the message so far, without white space; the last, still growing one starts at _tokenStart.
    private readonly ByteBuffer _text = new();
    private readonly TokenGrammar _grammar = new();

    private ReadOnlyMemory<byte> _input;
    private LexerState _state;
    private int _tokenStart;
    private bool _isPlainString;
    private long _tokenBytes;
    private int _tokens;
    private int _braces;
    private int _brackets;
    private string? _error;

    /// <summary>Gives it the next bytes, once <see cref="TryRead"/> has said that it needs more.</summary>
    public void Append(ReadOnlyMemory<byte> input) => _input = input;

    /// <summary>Reads the next message; false when it needs more bytes.</summary>
    public bool TryRead(out ParsedMessage message)
    {
        while (!_input.IsEmpty)
        {
            if (_state is LexerState.DoubleQuoted or LexerState.SingleQuoted && !TakePlainRun())
            {
                break;
            }

            if (TakeByte(_input.Span[0], out message))
            {
                return true;
            }
        }

        message = default;
        return false;
    }

    // The inside of a long string is taken at once; false when the input ends in it.
    private bool TakePlainRun()
    {
        var span = _input.Span;
        var run = 0;
        while (run < span.Length && span[run] is >= 0x20 and < 0x80 and not ((byte)'"' or (byte)'\'' or (byte)'\\'))
        {
            run++;
        }

        run = Math.Min(run, MaxTokenBytes - (_text.Length - _tokenStart));
        _text.Append(span.Slice(0, run));
        _input = _input.Slice(run);
        return !_input.IsEmpty;
    }

    private bool TakeByte(byte value, out ParsedMessage message)
    {
        message = default;
        var next = Lexer.Next(_state, value);
        if (next is LexerState.Restart)
        {
            _state = LexerState.Start;
            return false;
        }

        if (next is LexerState.EndBefore)
        {
            return EndToken(_state == LexerState.Keyword ? TokenType.Keyword : TokenType.Number, out message);
        }

        _input = _input.Slice(1);
        if (next is LexerState.Start or LexerState.Recovery)
        {
            _state = next;
            return false;
        }

        _isPlainString = _state switch
        {
            LexerState.Start => value == '"',
            LexerState.DoubleQuoted => _isPlainString && value is < 0x80 and not (byte)'\\',
            _ => _isPlainString,
        };
        _text.Append(value);
        switch (next)
        {
            case LexerState.Structural:
                return EndToken(Lexer.StructuralType(value), out message);
            case LexerState.EndAfter:
                return EndToken(TokenType.String, out message);
            case LexerState.Error:
                _state = LexerState.Recovery;
                message = Fail($"JSON parse error, stray '{ModifiedUtf8.ToText(_text.Span.Slice(_tokenStart))}'");
                return true;
            default:
                _state = next;
                return IsTokenTooLong(out message);
        }
    }

    private bool IsTokenTooLong(out ParsedMessage message)
    {
        if (_text.Length - _tokenStart <= MaxTokenBytes)
        {
            message = default;
            return false;
        }

        _state = LexerState.Start;
        message = Fail("JSON token size limit exceeded");
        return true;
    }

    private bool EndToken(TokenType type, out ParsedMessage message)
    {
        _state = LexerState.Start;
        _braces += type switch { TokenType.LeftBrace => 1, TokenType.RightBrace => -1, _ => 0 };
        _brackets += type switch { TokenType.LeftBracket => 1, TokenType.RightBracket => -1, _ => 0 };
        var bytes = _text.Length - _tokenStart;
        var limit = _tokenBytes + bytes + 1 > MaxTokenBytes ? "JSON token size limit exceeded"
            : _tokens + 1 > MaxTokens ? "JSON token count limit exceeded"
            : _braces + _brackets > MaxNesting ? "JSON nesting depth limit exceeded"
            : null;
        if (limit is not null)
        {
            message = Fail(limit);
            return true;
        }

        _tokens++;
        _tokenBytes += bytes;
        _error ??= Check(type);
        _tokenStart = _text.Length;
        if ((_braces > 0 || _brackets > 0) && _braces >= 0 && _brackets >= 0)
        {
            message = default;
            return false;
        }

        message = _error is null
            ? new ParsedMessage(_text.ToArray(), null)
            : new ParsedMessage(null, $"JSON parse error, {_error}");
        Reset();
        return true;
    }

    private string? Check(TokenType type)
    {
        var misplaced = _grammar.Take(type);
        return misplaced is null or TokenGrammar.KeyIsNoString ? CheckToken(type) ?? misplaced : misplaced;
    }

    private string? CheckToken(TokenType type)
    {
        if (type == TokenType.String && !_isPlainString)
        {
            return StringToken.Normalise(_text, _tokenStart);
        }

        if (type == TokenType.Keyword && ModifiedUtf8.ToText(_text.Span.Slice(_tokenStart)) is var word)
        {
            return word is "true" or "false" or "null" ? null : $"invalid keyword '{word}'";
        }

        return null;
    }

    private ParsedMessage Fail(string error)
    {
        Reset();
        return new ParsedMessage(null, error);
    }

    private void Reset()
    {
        _text.Clear();
        _grammar.Reset();
        _tokenStart = 0;
        _tokenBytes = 0;
        _tokens = 0;
        _braces = 0;
        _brackets = 0;
        _error = null;
    }
}
