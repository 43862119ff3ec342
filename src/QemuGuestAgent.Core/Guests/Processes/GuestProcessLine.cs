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
/// <param name="Stream">Where to.</param>
/// <param name="Text">The line, without its end.</param>
public sealed record GuestProcessLine(GuestOutputKind Stream, string Text)
{
    /// <summary>The line.</summary>
    public override string ToString() => Text;
}
