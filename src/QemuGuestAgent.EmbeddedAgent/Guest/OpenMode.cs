namespace QemuGuestAgent.EmbeddedAgent.Guest;

/// <summary>One of <c>fopen</c>'s modes.</summary>
internal readonly record struct OpenMode(bool CanRead, bool CanWrite, bool Creates, bool Truncates, bool Appends)
{
    /// <summary>Reads a mode as qemu-ga does; null if there is no such mode.</summary>
    public static OpenMode? Parse(string text)
    {
        var both = text.Contains('+');
        return text switch
        {
            "r" or "rb" or "r+" or "rb+" or "r+b" => new(true, both, false, false, false),
            "w" or "wb" or "w+" or "wb+" or "w+b" => new(both, true, true, true, false),
            "a" or "ab" or "a+" or "ab+" or "a+b" => new(both, true, true, false, true),
            _ => null,
        };
    }
}
