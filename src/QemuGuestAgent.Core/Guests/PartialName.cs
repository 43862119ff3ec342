using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace QemuGuestAgent.Core.Guests;

/// <summary>
/// The names of files that are not whole yet, beside the file that they become: <c>.name.handle.random.partial</c> on this computer,
/// <c>.name.random.partial/handle.random</c> in a guest. They cannot be guessed; after a client has died, the next one finds in it the
/// handle that the agent still holds open.
/// </summary>
internal static class PartialName
{
    /// <summary>What all such names end with.</summary>
    public const string Suffix = ".partial";

    // A name has room for 255 bytes.
    private const int MaxStem = 200;

    private const int RandomDigits = 16;

    private static readonly Regex AnyPath = new(
        @"^(.*[/\\])?\.([^/\\]+?)(\.[0-9]{1,18})?\.[0-9a-f]{16}\.partial([/\\][^/\\]*)?\z", RegexOptions.CultureInvariant | RegexOptions.Singleline);

    private static readonly Regex FolderRest = new(@"^[0-9a-f]{16}\.partial\z", RegexOptions.CultureInvariant);
    private static readonly Regex PartName = new(@"^([0-9]{1,18})(\.[0-9a-f]{16})\z", RegexOptions.CultureInvariant);
    private static readonly Regex Rest = new(@"^([0-9]{1,18})\.[0-9a-f]{16}\.partial\z", RegexOptions.CultureInvariant);

    /// <summary>The path of the file that one becomes, for messages; other paths, and names that were too long, as they are.</summary>
    public static string Shown(string path) => AnyPath.Replace(path, "$1$2");

    /// <summary>What such names of a file begin with.</summary>
    public static string Prefix(string name) =>
        Encoding.UTF8.GetByteCount(name) <= MaxStem ? $".{name}." : $".{HashOf(Encoding.UTF8.GetBytes(name)).Substring(0, 32)}.";

    /// <summary>A new name for a file, with the handle that it is, or is going to be, open by.</summary>
    public static string Create(string name, long handle) => Prefix(name) + Number(handle) + "." + Random() + Suffix;

    /// <summary>A new name for the private folder of a file.</summary>
    public static string CreateFolder(string name) => Prefix(name) + Random() + Suffix;

    /// <summary>Whether that is the name of a private folder of a file, in either case: the guest tells which names are the same there.</summary>
    public static bool IsFolderOf(string folder, string name) =>
        folder.StartsWith(Prefix(name), StringComparison.OrdinalIgnoreCase) && FolderRest.Match(folder.Substring(Prefix(name).Length)).Success;

    /// <summary>What the names in a private folder end with: others have no such file.</summary>
    public static string PartSuffix(string folder) => folder.Substring(folder.Length - Suffix.Length - RandomDigits - 1, RandomDigits + 1);

    /// <summary>The name of a file in its private folder, with the handle that it is, or is going to be, open by.</summary>
    public static string Part(string folder, long handle) => Number(handle) + PartSuffix(folder);

    /// <summary>The handle in the name of a file in its private folder; null where it is another name.</summary>
    public static long? HandleInPart(string part, string folder) =>
        PartName.Match(part) is { Success: true } match && match.Groups[2].Value == PartSuffix(folder)
            ? long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
            : null;

    /// <summary>The handle in such a name of a file; null where it is another name.</summary>
    public static long? HandleIn(string partial, string name) =>
        partial.StartsWith(Prefix(name), StringComparison.Ordinal)
        && Rest.Match(partial.Substring(Prefix(name).Length)) is { Success: true } match
            ? long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
            : null;

    /// <summary>Bytes as small hexadecimal digits.</summary>
    public static string Hex(byte[] bytes) => string.Concat(Array.ConvertAll(bytes, b => b.ToString("x2", CultureInfo.InvariantCulture)));

    /// <summary>The SHA-256 of bytes, in small hexadecimal digits.</summary>
    public static string HashOf(byte[] bytes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(bytes);
        return Hex(hash.GetHashAndReset());
    }

    private static string Number(long handle) => handle.ToString(CultureInfo.InvariantCulture);

    private static string Random()
    {
        var random = new byte[RandomDigits / 2];
        using (var generator = RandomNumberGenerator.Create())
        {
            generator.GetBytes(random);
        }

        return Hex(random);
    }
}
