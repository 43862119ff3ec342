namespace QemuGuestAgent.Core.Guests.Processes;

/// <summary>One of the streams that a program writes to.</summary>
public enum GuestOutputKind
{
    /// <summary>Standard output.</summary>
    Output,

    /// <summary>Standard error.</summary>
    Error,
}

/// <summary>A line that a program in a guest wrote.</summary>
public sealed class GuestProcessLine(GuestOutputKind stream, string text)
{
    /// <summary>The stream that it was written to.</summary>
    public GuestOutputKind Stream { get; } = stream;

    /// <summary>The line, without its end.</summary>
    public string Text { get; } = text;

    /// <summary>The line.</summary>
    public override string ToString() => Text;
}
