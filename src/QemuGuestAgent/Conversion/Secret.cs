using System.Runtime.InteropServices;
using System.Security;
using QemuGuestAgent.Core.Commands;

namespace QemuGuestAgent.Conversion;

/// <summary>Takes a secret out of its SecureString for as short as it can be.</summary>
internal static class Secret
{
    /// <summary>The secret as a password for a guest; whoever gets it disposes it.</summary>
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
