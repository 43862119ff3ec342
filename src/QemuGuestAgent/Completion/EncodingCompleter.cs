using System.Collections;

namespace QemuGuestAgent.Completion;

/// <summary>Completes the name of an encoding.</summary>
public sealed class EncodingCompleter : NameCompleter
{
    private protected override IEnumerable<(string Name, string Tip)> Offers(IDictionary bound) =>
    [
        ("utf8", "UTF-8"),
        ("utf8BOM", "UTF-8 with a byte order mark"),
        ("unicode", "UTF-16, little-endian"),
        ("bigendianunicode", "UTF-16, big-endian"),
        ("utf32", "UTF-32, little-endian"),
        ("bigendianutf32", "UTF-32, big-endian"),
        ("latin1", "ISO 8859-1"),
        ("ascii", "ASCII, 7 bits"),
        ("ansi", "the ANSI code page of this computer's culture"),
        ("oem", "the OEM code page of this computer's culture"),
    ];
}
