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

    /// <summary>The guest computed the same SHA-256 as this side.</summary>
    Sha256,
}

/// <summary>A file that was copied to or from a guest.</summary>
/// <param name="Source">Where it came from.</param>
/// <param name="Destination">Where it is now.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Hash">Its SHA-256, in hexadecimal digits, as this side has computed it.</param>
/// <param name="Verified">How the copy was compared with its source.</param>
/// <param name="Atomic">Whether it took its place all at once. If not, a broken copy would have left a part there.</param>
/// <param name="Resumed">How many bytes an earlier copy had left.</param>
/// <param name="Duration">How long it took.</param>
public sealed record ItemCopy(
    string Source, string Destination, long Length, string Hash, CopyVerification Verified, bool Atomic, long Resumed,
    TimeSpan Duration);
