namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>How it was found out that a copy is its source.</summary>
public enum CopyVerification
{
    /// <summary>Not at all: the guest creates the content each time the file is read.</summary>
    None,

    /// <summary>The lengths are the same.</summary>
    Size,

    /// <summary>It was read again, and the same came.</summary>
    SecondRead,

    /// <summary>The guest computed the same SHA-256 as this side, of the file or of the archive that it came in with others.</summary>
    Sha256,
}

/// <summary>A file that was copied to or from a guest.</summary>
public sealed class ItemCopy(
    string source, string destination, long length, string hash, CopyVerification verified, bool atomic, long resumed,
    TimeSpan duration)
{
    /// <summary>Where it came from.</summary>
    public string Source { get; } = source;

    /// <summary>Where it is now.</summary>
    public string Destination { get; } = destination;

    /// <summary>Its length in bytes.</summary>
    public long Length { get; } = length;

    /// <summary>Its SHA-256, in hexadecimal digits, as this side has computed it.</summary>
    public string Hash { get; } = hash;

    /// <summary>How the copy was compared with its source.</summary>
    public CopyVerification Verified { get; } = verified;

    /// <summary>Whether it took its place all at once. If not, who read it meanwhile saw a part; and where the guest has no tools, a broken copy would have left one there.</summary>
    public bool Atomic { get; } = atomic;

    /// <summary>How many bytes an earlier copy had left.</summary>
    public long Resumed { get; } = resumed;

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; internal set; } = duration;

    /// <summary>Where it is now.</summary>
    public override string ToString() => Destination;
}
