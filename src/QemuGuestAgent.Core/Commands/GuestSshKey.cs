using System.Security.Cryptography;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Commands;

/// <summary>A public key that lets a user of a guest in by ssh.</summary>
public sealed class GuestSshKey
{
    // Every key begins with the length of its type's name, of which the upper bytes are 0: this, in base64.
    private const string BlobStart = "AAAA";

    /// <summary>Takes a line of authorized_keys apart; what is no key has only its text.</summary>
    /// <param name="userName">The user whom it lets in.</param>
    /// <param name="key">The line: options that may be absent, the type, the key, a comment that may be absent.</param>
    public GuestSshKey(string userName, string key)
    {
        UserName = userName;
        Key = key;
        var words = key.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        var blob = Array.FindIndex(words, word => word.StartsWith(BlobStart, StringComparison.Ordinal));
        if (blob > 0 && TryDecode(words[blob]) is { } bytes)
        {
            Type = words[blob - 1];
            Comment = string.Join(" ", words.Skip(blob + 1));
            Fingerprint = FingerprintOf(bytes);
        }
    }

    /// <summary>The user whom it lets in.</summary>
    public string UserName { get; }

    /// <summary>The line of authorized_keys, whole.</summary>
    public string Key { get; }

    /// <summary>The key's type, such as ssh-ed25519; null where the line is no key.</summary>
    public string? Type { get; }

    /// <summary>The comment behind the key; null where the line is no key.</summary>
    public string? Comment { get; }

    /// <summary>The fingerprint as ssh-keygen -l shows it; null where the line is no key.</summary>
    public string? Fingerprint { get; }

    /// <summary>The keys in a text of one or more lines, as a .pub file or authorized_keys has them.</summary>
    /// <exception cref="GuestAgentException">SshKeyInvalid: a line is neither a key nor blank nor a comment.</exception>
    public static IReadOnlyList<string> ReadLines(string text)
    {
        var lines = Array.ConvertAll(text.Split('\n'), line => line.Trim());
        var foreign = Array.FindIndex(lines, line => IsEntry(line) && new GuestSshKey("", line).Type is null);

        // It may be a line of a private key: its text is never shown.
        return foreign < 0 ? [.. lines.Where(IsEntry)] : throw ErrorCatalogue.SshKeyInvalid.WithTarget(null, foreign + 1);
    }

    /// <summary>The line of authorized_keys.</summary>
    public override string ToString() => Key;

    private static bool IsEntry(string line) => line.Length > 0 && line[0] != '#';

    private static byte[]? TryDecode(string base64)
    {
        try
        {
            return Convert.FromBase64String(base64);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static string FingerprintOf(byte[] key)
    {
#if NET
        var hash = SHA256.HashData(key);
#else
        using var sha256 = SHA256.Create();
        var hash = sha256.ComputeHash(key);
#endif
        return "SHA256:" + Convert.ToBase64String(hash).TrimEnd('=');
    }
}
