namespace QemuGuestAgent.EmbeddedAgent.Guest;

/// <summary>A failed system call of the guest; the message is what <c>strerror</c> says.</summary>
internal sealed class ErrnoException(string message) : Exception(message);

/// <summary>The failures that the imaginary guest has.</summary>
internal static class Errno
{
    public const string NoEntry = "No such file or directory";
    public const string IsDirectory = "Is a directory";
    public const string NotDirectory = "Not a directory";
    public const string AccessDenied = "Permission denied";
    public const string BadDescriptor = "Bad file descriptor";
    public const string InvalidArgument = "Invalid argument";
    public const string NoSpace = "No space left on device";
}
