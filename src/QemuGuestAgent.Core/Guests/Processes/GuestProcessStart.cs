using System.Text;

namespace QemuGuestAgent.Core.Guests.Processes;

/// <summary>A program to run in a guest.</summary>
/// <param name="FilePath">The path of the program in the guest; a name without a slash is searched for on the agent's PATH.</param>
public sealed record GuestProcessStart(string FilePath)
{
    /// <summary>Its arguments, each as it is to arrive: no shell reads them. They are written to the guest's log.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>The bytes of its standard input, or null for none.</summary>
    public byte[]? Input { get; init; }

    /// <summary>Variables of its environment by name; null is unset. Null for none.</summary>
    public IReadOnlyDictionary<string, string?>? Environment { get; init; }

    /// <summary>Whether <see cref="Environment"/> is the whole environment, instead of changes to the agent's.</summary>
    public bool ReplacesEnvironment { get; init; }

    /// <summary>The folder to run in, or null for the agent's.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>The user in the guest to run as, or null for the agent's. Not in Windows guests.</summary>
    public string? UserName { get; init; }

    /// <summary>The path of a new file in the guest for its standard output, or null for the agent to keep it. Not in Windows guests.</summary>
    public string? OutputPath { get; init; }

    /// <summary>The path of a new file in the guest for its standard error, or null for the agent to keep it. Not in Windows guests.</summary>
    public string? ErrorPath { get; init; }

    /// <summary>The encoding of what it writes; null for what programs of the guest usually write: UTF-8, or the OEM code page of a Windows guest.</summary>
    public Encoding? Encoding { get; init; }

    // Whether what it writes is for this library alone, and says nothing to the user.
    internal bool IsOutputInternal { get; init; }

    // Once it is prepared for a guest.
    internal Encoding KnownEncoding => Encoding ?? GuestText.Utf8;

    // In characters; a longer line of live output is cut, for a guest that never ends its line must not take the host's memory.
    internal int MaxLine { get; init; } = 1 << 20;
}
