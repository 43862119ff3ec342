using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>How items are copied, and callbacks. The callbacks are called on the thread that the copy runs on.</summary>
public sealed record ItemCopyOptions
{
    /// <summary>Whether folders are copied with what is in them; else only themselves.</summary>
    public bool Recurse { get; init; }

    /// <summary>Whether files that are there already are replaced. They keep owner, group, mode, ACL, attributes and label.</summary>
    public bool Force { get; init; }

    /// <summary>Whether only files are copied that are not there with the same length and time; they replace what is there.</summary>
    public bool Update { get; init; }

    /// <summary>Whether <see cref="Update"/> compares files of the same length by their SHA-256, whatever their times are.</summary>
    public bool Checksum { get; init; }

    /// <summary>Whether what links below the named items lead to is copied in their place.</summary>
    public bool FollowLinks { get; init; }

    /// <summary>Whether to go on with what an earlier copy left, and to leave something where this one is broken off.</summary>
    public bool Resume { get; init; }

    /// <summary>Whether a copy is read a second time where the guest cannot compute its checksum.</summary>
    public bool ReadBack { get; init; }

    /// <summary>The most bytes taken from a guest; null is as much as the disk here has room for.</summary>
    public long? MaximumSize { get; init; }

    /// <summary>Told how far it is, after each piece.</summary>
    public Action<ItemCopyProgress>? Progress { get; init; }

    /// <summary>Told of each file once it is there, whole.</summary>
    public Func<ItemCopy, Task> Copied { get; init; } = _ => Task.CompletedTask;

    /// <summary>Receives warnings: what could not be done while the copy continues.</summary>
    public Action<string> Warn { get; init; } = _ => { };

    /// <summary>Told of each file that is there already, by its source.</summary>
    public Action<string> Unchanged { get; init; } = _ => { };

    /// <summary>Told of each item that failed; the others go on.</summary>
    public Action<GuestAgentException> Failed { get; init; } = _ => { };

    // The bytes of each piece, where they are not to follow what the agent is fastest with.
    internal int? PieceBytes { get; init; }

    // Whether small files are copied one by one too, as with a Linux guest without tar.
    internal bool OneByOne { get; init; }
}

/// <summary>How far a copy is.</summary>
/// <param name="Item">The file at hand, by its source.</param>
/// <param name="Bytes">The bytes copied so far, of all files.</param>
/// <param name="TotalBytes">The bytes of all files, as far as is known.</param>
/// <param name="Files">The files copied so far.</param>
/// <param name="TotalFiles">The files that are to be copied.</param>
public readonly record struct ItemCopyProgress(string Item, long Bytes, long TotalBytes, int Files, int TotalFiles);
