using System.Text;

namespace QemuGuestAgent.Core.Guests.Processes;

/// <summary>Makes lines of bytes that come in pieces, in any encoding. A line ends with LF or CRLF.</summary>
internal sealed class LineReader(GuestOutputKind stream, Encoding encoding, int maxLine)
{
    private readonly StringBuilder _line = new();
    private Decoder? _decoder;

    // The first bytes, until they show whether there is a byte order mark.
    private byte[] _start = [];
    private bool _hasText;

    /// <summary>Takes a piece; gives the lines that end in it.</summary>
    public IReadOnlyList<GuestProcessLine> Read(byte[] bytes, bool isLast = false)
    {
        if (_decoder is null)
        {
            bytes = [.. _start, .. bytes];
            if (!isLast && GuestText.MayBeMark(bytes))
            {
                _start = bytes;
                return [];
            }

            encoding = GuestText.Choose(bytes, encoding);
            _decoder = encoding.GetDecoder();
        }

        var text = new char[encoding.GetMaxCharCount(bytes.Length)];
        var count = _decoder.GetChars(bytes, 0, bytes.Length, text, 0, isLast);

        var start = !_hasText && count > 0 && text[0] == GuestText.Mark ? 1 : 0;
        _hasText |= count > 0;
        var lines = new List<GuestProcessLine>();
        for (var i = start; i < count; i++)
        {
            if (text[i] == '\n')
            {
                _line.Append(text, start, i - start);
                lines.Add(TakeLine());
                start = i + 1;
            }
        }

        _line.Append(text, start, count - start);
        if (_line.Length > maxLine)
        {
            lines.Add(TakeLine());
        }

        return lines;
    }

    /// <summary>Gives what came after the last end of a line; none where nothing did.</summary>
    public IReadOnlyList<GuestProcessLine> Finish()
    {
        var lines = Read([], isLast: true);
        return _line.Length > 0 ? [.. lines, TakeLine()] : lines;
    }

    private GuestProcessLine TakeLine()
    {
        var length = _line.Length > 0 && _line[_line.Length - 1] == '\r' ? _line.Length - 1 : _line.Length;
        var line = new GuestProcessLine(stream, _line.ToString(0, length));
        _line.Clear();
        return line;
    }
}
