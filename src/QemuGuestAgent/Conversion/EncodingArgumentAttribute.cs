using System.Globalization;
using System.Management.Automation;
using System.Text;

namespace QemuGuestAgent.Conversion;

/// <summary>Converts the name of an encoding, such as utf8, unicode or ibm850, or the number of a code page, to the encoding.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class EncodingArgumentAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        var value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        try
        {
            return value switch
            {
                Encoding encoding => encoding,
                int page => ByPage(page),
                _ => ByName(Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""),
            };
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new ArgumentTransformationMetadataException(
                $"'{value}' is not an encoding. Use utf8, utf8BOM, unicode, bigendianunicode, utf32, latin1, ascii, ansi, oem, a name such as ibm850, "
                + "or the number of a code page.", e);
        }
    }

    private static Encoding ByName(string name) => name.ToUpperInvariant() switch
    {
        "UTF8" or "UTF-8" or "UTF8NOBOM" => new UTF8Encoding(false),
        "UTF8BOM" => new UTF8Encoding(true),
        "UNICODE" => new UnicodeEncoding(false, true),
        "BIGENDIANUNICODE" => new UnicodeEncoding(true, true),
        "UTF32" => new UTF32Encoding(false, true),
        "BIGENDIANUTF32" => new UTF32Encoding(true, true),
        "LATIN1" => Encoding.GetEncoding(28591),
        "ANSI" => ByPage(CultureInfo.CurrentCulture.TextInfo.ANSICodePage),
        "OEM" => ByPage(CultureInfo.CurrentCulture.TextInfo.OEMCodePage),
        _ when int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var page) => ByPage(page),
#if NET
        _ => CodePagesEncodingProvider.Instance.GetEncoding(name) ?? Encoding.GetEncoding(name),
#else
        _ => Encoding.GetEncoding(name),
#endif
    };

    private static Encoding ByPage(int page) =>
        page == Encoding.UTF8.CodePage ? new UTF8Encoding(false)
#if NET
        // .NET knows the code pages of Windows only by this provider.
        : CodePagesEncodingProvider.Instance.GetEncoding(page) ?? Encoding.GetEncoding(page);
#else
        : Encoding.GetEncoding(page);
#endif
}
