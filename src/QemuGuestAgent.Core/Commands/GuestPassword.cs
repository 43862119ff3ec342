using System.Text;
using System.Text.Json;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Commands;

/// <summary>A password, or the hash of one, as the agent takes it. Disposing wipes it from memory.</summary>
public sealed class GuestPassword : IDisposable
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly byte[] _bytes;

    /// <summary>Takes a password.</summary>
    /// <param name="text">The password; wiping it is up to the caller.</param>
    /// <param name="isHash">Whether it is the hash that the guest keeps of a password (crypt), not the password itself.</param>
    /// <exception cref="GuestAgentException">PasswordInvalid.</exception>
    public GuestPassword(char[] text, bool isHash)
    {
        IsHash = isHash;

        // A line feed the agent refuses; at a NUL it would cut the password off, and say nothing.
        if (Array.Exists(text, c => c is '\n' or '\0'))
        {
            throw ErrorCatalogue.PasswordInvalid.WithTarget(null, Array.IndexOf(text, '\n') >= 0 ? "a line feed" : "a NUL");
        }

        try
        {
            _bytes = Utf8.GetBytes(text);
        }
        catch (EncoderFallbackException)
        {
            throw ErrorCatalogue.PasswordInvalid.WithTarget(null, "an unpaired surrogate");
        }
    }

    /// <summary>Whether it is the hash that the guest keeps of a password, not the password itself.</summary>
    public bool IsHash { get; }

    /// <summary>Wipes it from memory.</summary>
    public void Dispose() => Array.Clear(_bytes, 0, _bytes.Length);

    internal void Write(Utf8JsonWriter json)
    {
        json.WriteBase64String("password", _bytes);
        json.WriteBoolean("crypted", IsHash);
    }
}
