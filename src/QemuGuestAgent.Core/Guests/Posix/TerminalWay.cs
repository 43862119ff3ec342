namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>What brings a pseudo terminal in a guest.</summary>
internal enum TerminalWay
{
    /// <summary>Nothing does: a shell without a terminal, line by line.</summary>
    None,

    /// <summary>The program <c>script</c>, as util-linux, bsdutils or busybox have it.</summary>
    Script,

    /// <summary>Python's <c>pty</c>.</summary>
    Python,
}
