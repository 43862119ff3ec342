using System.Management.Automation;
using System.Text;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Operations.Files;

namespace QemuGuestAgent.Commands;

/// <summary>A cmdlet that writes content to files in guests. The content is collected first and written at the end.</summary>
public abstract class ContentWritingCmdlet : GuestCmdlet
{
    private readonly List<GuestTarget> _guests = [];
    private readonly List<object?> _values = [];
    private bool _isGuestAndContent;

    /// <summary>Makes one that writes without limit.</summary>
    private protected ContentWritingCmdlet() => TimeoutSeconds = 0;

    /// <summary>Absolute paths of files in the guest, without wildcards.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [Alias("LiteralPath", "LP")]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>The content: each string or object is a line; with -AsByteStream bytes.</summary>
    [Parameter(Mandatory = true, Position = 2, ValueFromPipeline = true)]
    [AllowNull]
    [AllowEmptyCollection]
    [AllowEmptyString]
    public object?[]? Value { get; set; }

    /// <summary>The encoding of text; UTF-8 without a byte order mark by default.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(EncodingCompleter))]
    [EncodingArgument]
    [ValidateNotNull]
    public Encoding Encoding { get; set; } = new UTF8Encoding(false);

    /// <summary>Writes the values as bytes.</summary>
    [Parameter]
    public SwitchParameter AsByteStream { get; set; }

    /// <summary>Writes no line break after the values.</summary>
    [Parameter]
    public SwitchParameter NoNewline { get; set; }

    /// <summary>Writes the values.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected abstract bool Appends { get; }

    private protected abstract string Change { get; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();

        // If neither is given, PowerShell binds each pipeline object to both.
        var given = MyInvocation.BoundParameters;
        _isGuestAndContent =
            !given.ContainsKey(nameof(Value)) && !given.ContainsKey(nameof(Session)) && !given.ContainsKey(nameof(Endpoint));
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var isFirst = _guests.Count == 0;
        var guests = FindGuests().Where(guest => !_guests.Contains(guest)).ToList();
        _guests.AddRange(guests);

        // Sessions come one by one with the same values, or values one by one for the same sessions.
        if (isFirst || guests.Count == 0)
        {
            foreach (var value in Value ?? [])
            {
                if (_isGuestAndContent || (value is not null && ArgumentConverter.Unwrap(value) is AgentSession))
                {
                    ThrowTerminatingError(ErrorRecords.Of(ErrorCatalogue.ContentIsSession.With(value), value!));
                }

                if (AsByteStream && (value is null || !LanguagePrimitives.TryConvertTo<byte[]>(value, out _)))
                {
                    ThrowTerminatingError(ErrorRecords.Of(ErrorCatalogue.ContentNotBytes.WithTarget(value, value ?? "$null"), value!));
                }

                _values.Add(value);
            }
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        foreach (var guest in _guests)
        {
            foreach (var path in Path)
            {
                ForGuest(
                    guest,
                    async (of, call, cancellationToken) =>
                    {
                        var isWindows = GuestPath.Windows.IsRooted(path);
                        await GuestContent.WriteAsync(
                            of.Session, path, Content(isWindows ? "\r\n" : "\n"), AsByteStream ? [] : Encoding.GetPreamble(), Appends,
                            text => Post(() => WriteWarning(SafeText.Escape(text))), call, cancellationToken).ConfigureAwait(false);
                        return () => { };
                    },
                    $"{Change} '{SafeText.Escape(path)}'");
            }
        }

        base.EndProcessing();
        if (PassThru)
        {
            WriteObject(_values, enumerateCollection: true);
        }
    }

    private byte[] Content(string lineEnd)
    {
        var content = new MemoryStream();
        foreach (var value in _values)
        {
            var bytes =
                AsByteStream ? LanguagePrimitives.ConvertTo<byte[]>(value)
                : Encoding.GetBytes(LanguagePrimitives.ConvertTo<string>(value) + (NoNewline ? "" : lineEnd));
            content.Write(bytes, 0, bytes.Length);
        }

        return content.ToArray();
    }
}
