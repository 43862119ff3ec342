using System.Buffers;
using System.Text.Json;

namespace QemuGuestAgent.Core.Wire;

/// <summary>The kind of a line from the agent.</summary>
internal enum ReplyKind
{
    /// <summary>Nothing: an empty line.</summary>
    Blank,

    /// <summary>Not a complete JSON object, or one that is not a reply.</summary>
    Malformed,

    /// <summary>A JSON object that is nested too deeply or has too many values.</summary>
    TooComplex,

    /// <summary>A request: our own, sent back by a terminal with echo.</summary>
    Echo,

    /// <summary>A reply with a result.</summary>
    Return,

    /// <summary>A reply with an error.</summary>
    Error,
}

/// <summary>
/// One line from the agent, parsed as far as needed before it is known to which request it belongs: the <c>id</c> comes last in
/// practice. The whole line has been checked to be JSON within bounds; the result's value is still in the memory of the line.
/// </summary>
internal readonly struct Reply
{
    public ReplyKind Kind { get; private init; }

    /// <summary>The request's id that the agent echoed, if it is an integer.</summary>
    public long? Id { get; private init; }

    /// <summary>The bytes of the value of <c>return</c>.</summary>
    public ReadOnlySequence<byte> Return { get; private init; }

    /// <summary>The agent's error: its class and its text.</summary>
    public (string Class, string Description) Error { get; private init; }

    /// <summary>The value of <c>return</c> if it is a 64-bit integer, as for a sync.</summary>
    public long? ReturnedNumber
    {
        get
        {
            // Longer than any int64: no need to parse it.
            if (Kind != ReplyKind.Return || Return.Length > 20)
            {
                return null;
            }

            var reader = OpenReturn();
            return reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number) ? number : null;
        }
    }

    /// <summary>A reader on the first token of the value of <c>return</c>, whose depth has been checked.</summary>
    public Utf8JsonReader OpenReturn()
    {
        var reader = new Utf8JsonReader(Return, new JsonReaderOptions { MaxDepth = int.MaxValue });
        reader.Read();
        return reader;
    }

    /// <summary>Parses a line.</summary>
    /// <param name="line">The line, without its LF.</param>
    /// <param name="maxDepth">The maximum nesting depth.</param>
    /// <param name="maxValues">The maximum number of values, including keys.</param>
    public static Reply Parse(in ReadOnlySequence<byte> line, int maxDepth, int maxValues)
    {
        if (IsBlank(line))
        {
            return new Reply { Kind = ReplyKind.Blank };
        }

        // One level more than the limit, so that exceeding it is noticed here and distinguished from invalid JSON.
        var reader = new Utf8JsonReader(line, new JsonReaderOptions { MaxDepth = maxDepth + 1 });
        try
        {
            return ParseObject(ref reader, line, maxDepth, maxValues);
        }
        catch (JsonException)
        {
            return new Reply { Kind = ReplyKind.Malformed };
        }
        catch (Exception e) when (e is InvalidOperationException or IndexOutOfRangeException or ArgumentException)
        {
            // A string with an escaped half surrogate, where text is needed; a broken literal in two segments (a fault of Utf8JsonReader's,
            // which throws IndexOutOfRangeException for it, and ArgumentException in .NET 8).
            return new Reply { Kind = ReplyKind.Malformed };
        }
    }

    private static Reply ParseObject(ref Utf8JsonReader reader, in ReadOnlySequence<byte> line, int maxDepth, int maxValues)
    {
        var malformed = new Reply { Kind = ReplyKind.Malformed };
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return malformed;
        }

        long? id = null;
        ReadOnlySequence<byte>? result = null;
        (string Class, string Description)? error = null;
        var isRequest = false;
        var values = maxValues;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            values--;
            if (reader.ValueTextEquals("return"u8))
            {
                var start = SkipValue(ref reader, maxDepth, ref values);
                result = line.Slice(start, reader.BytesConsumed - start);
            }
            else if (reader.ValueTextEquals("error"u8))
            {
                reader.Read();
                error = ParseError(ref reader, maxDepth, ref values);
                if (error is null && values >= 0)
                {
                    return malformed;
                }
            }
            else if (reader.ValueTextEquals("id"u8))
            {
                SkipValue(ref reader, maxDepth, ref values);
                id = reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number) ? number : null;
            }
            else
            {
                isRequest |= reader.ValueTextEquals("execute"u8);
                SkipValue(ref reader, maxDepth, ref values);
            }

            if (values < 0)
            {
                return new Reply { Kind = ReplyKind.TooComplex, Id = id };
            }
        }

        // Throws where anything but white space follows the object.
        if (reader.Read())
        {
            return malformed;
        }

        return (result, error, isRequest) switch
        {
            ({ } value, null, false) => new Reply { Kind = ReplyKind.Return, Id = id, Return = value },
            (null, { } e, false) => new Reply { Kind = ReplyKind.Error, Id = id, Error = e },
            (null, null, true) => new Reply { Kind = ReplyKind.Echo },
            _ => malformed,
        };
    }

    // Moves from before a value to its last token; returns where the value starts.
    private static long SkipValue(ref Utf8JsonReader reader, int maxDepth, ref int values)
    {
        reader.Read();
        var start = reader.TokenStartIndex;
        var depth = reader.CurrentDepth;
        while (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray || reader.CurrentDepth > depth)
        {
            // The depth of a container is that of its parent.
            if (--values < 0 || (reader.CurrentDepth >= maxDepth && reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray))
            {
                values = -1;
                return start;
            }

            reader.Read();
        }

        return start;
    }

    private static (string Class, string Description)? ParseError(ref Utf8JsonReader reader, int maxDepth, ref int values)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }

        string? errorClass = null, description = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isClass = reader.ValueTextEquals("class"u8);
            var isDescription = reader.ValueTextEquals("desc"u8);
            values--;
            SkipValue(ref reader, maxDepth, ref values);
            if (values < 0)
            {
                return null;
            }

            var text = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
            errorClass = isClass ? text : errorClass;
            description = isDescription ? text : description;
        }

        return errorClass is null ? null : (errorClass, description ?? "");
    }

    private static bool IsBlank(in ReadOnlySequence<byte> line)
    {
        foreach (var segment in line)
        {
            foreach (var b in segment.Span)
            {
                if (b is not ((byte)' ' or (byte)'\t' or (byte)'\r'))
                {
                    return false;
                }
            }
        }

        return true;
    }
}
