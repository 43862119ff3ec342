using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace QemuGuestAgent.Core.Operations.Copying;

/// <summary>
/// The names of files that are not whole yet, beside the file that they become: <c>.name.handle.random.partial</c>. Nobody can guess
/// one; and who comes after a client that died finds in it the handle that the agent still holds open.
/// </summary>
internal static class PartialName
{
    /// <summary>What all such names end with.</summary>
    public const string Suffix = ".partial";

    // A name has room for 255 bytes.
    private const int LongestStem = 200;

    private static readonly Regex Rest = new(@"^([0-9]{1,18})\.[0-9a-f]{16}\.partial\z", RegexOptions.CultureInvariant);

    /// <summary>What such names of a file begin with.</summary>
    public static string Prefix(string name) =>
        Encoding.UTF8.GetByteCount(name) <= LongestStem ? $".{name}." : $".{Hex(Hash(name)).Substring(0, 32)}.";

    /// <summary>A new name for a file, with the handle that it is, or is going to be, open by.</summary>
    public static string Create(string name, long handle)
    {
        var random = new byte[8];
        using (var generator = RandomNumberGenerator.Create())
        {
            generator.GetBytes(random);
        }

        return Prefix(name) + handle.ToString(CultureInfo.InvariantCulture) + "." + Hex(random) + Suffix;
    }

    /// <summary>The handle in such a name of a file; null where it is another name.</summary>
    public static long? HandleIn(string partial, string name) =>
        partial.StartsWith(Prefix(name), StringComparison.Ordinal)
        && Rest.Match(partial.Substring(Prefix(name).Length)) is { Success: true } match
            ? long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
            : null;

    /// <summary>Bytes as small hexadecimal digits.</summary>
    public static string Hex(byte[] bytes) => string.Concat(Array.ConvertAll(bytes, b => b.ToString("x2", CultureInfo.InvariantCulture)));

    private static byte[] Hash(string name)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(name));
        return hash.GetHashAndReset();
    }
}
