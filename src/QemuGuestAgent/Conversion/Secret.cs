using System.Runtime.InteropServices;
using System.Security;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Conversion;

/// <summary>Decrypts a SecureString for as short a time as possible.</summary>
internal static class Secret
{
    /// <summary>The secret as a password for a guest; the caller disposes it.</summary>
    public static GuestPassword ToPassword(SecureString secret, bool isHash)
    {
        var text = new char[secret.Length];
        var memory = Marshal.SecureStringToGlobalAllocUnicode(secret);
        try
        {
            Marshal.Copy(memory, text, 0, text.Length);
            return new GuestPassword(text, isHash);
        }
        finally
        {
            Marshal.ZeroFreeGlobalAllocUnicode(memory);
            Array.Clear(text, 0, text.Length);
        }
    }
}
