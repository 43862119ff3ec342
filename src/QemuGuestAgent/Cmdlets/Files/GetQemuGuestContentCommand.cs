using System.Management.Automation;
using System.Text;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>Gets the content of files in guests: line by line, as one string, or as bytes; with -Wait also what is written later.</summary>
[Cmdlet(VerbsCommon.Get, "QemuGuestContent", DefaultParameterSetName = SessionSet)]
[OutputType(typeof(string), typeof(byte), typeof(byte[]))]
public sealed class GetQemuGuestContentCommand : GuestCmdlet
{
    // A string cannot hold more.
    private const int MaxRaw = 512 << 20;

    /// <summary>Makes one that reads without limit.</summary>
    public GetQemuGuestContentCommand() => TimeoutSeconds = 0;

    /// <summary>Absolute paths of files in the guest, with wildcards.</summary>
    [Parameter(Position = 1)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>Absolute paths of files in the guest, without wildcards.</summary>
    [Parameter]
    [Alias("LP")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>The encoding; by default that of the byte order mark, or UTF-8 if there is none.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(EncodingCompleter))]
    [EncodingArgument]
    [ValidateNotNull]
    public Encoding? Encoding { get; set; }

    /// <summary>Gets bytes, not text.</summary>
    [Parameter]
    public SwitchParameter AsByteStream { get; set; }

    /// <summary>Gets the whole file as one string, or as one array of bytes.</summary>
    [Parameter]
    public SwitchParameter Raw { get; set; }

    /// <summary>Gets only this number of lines, or bytes, from the start.</summary>
    [Parameter]
    [Alias("First", "Head")]
    [ValidateRange(0L, long.MaxValue)]
    public long? TotalCount { get; set; }

    /// <summary>Gets only this number of lines, or bytes, at the end.</summary>
    [Parameter]
    [Alias("Last")]
    [ValidateRange(0, int.MaxValue)]
    public int? Tail { get; set; }

    /// <summary>Continues with what is written later, until Ctrl+C or until -TimeoutSeconds have passed.</summary>
    [Parameter]
    public SwitchParameter Wait { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if ((Path.Length == 0 && LiteralPath.Length == 0) || (Raw && (Wait || TotalCount is not null || Tail is not null))
            || (TotalCount is not null && Tail is not null))
        {
            ThrowTerminatingError(ErrorRecords.Of(ErrorCatalogue.ContentArgumentsMismatch.With(this), this));
        }

        ForEachGuest(async (guest, call, cancellationToken) =>
        {
            foreach (var path in Path)
            {
                await TryAsync(guest, async () =>
                {
                    foreach (var file in await GuestContent.FindAsync(guest.Session, path, call, cancellationToken).ConfigureAwait(false))
                    {
                        await TryAsync(guest, () => ReadAsync(guest, file, call, cancellationToken)).ConfigureAwait(false);
                    }
                }).ConfigureAwait(false);
            }

            foreach (var path in LiteralPath)
            {
                await TryAsync(guest, () => ReadAsync(guest, path, call, cancellationToken)).ConfigureAwait(false);
            }

            return () => { };
        });
    }

    // A file that cannot be read does not stop the others.
    private async Task TryAsync(Guest guest, Func<Task> work)
    {
        try
        {
            await work().ConfigureAwait(false);
        }
        catch (GuestAgentException e) when (e.Category is GuestAgentErrorCategory.InvalidResult or GuestAgentErrorCategory.ObjectNotFound
            or GuestAgentErrorCategory.NotImplemented or GuestAgentErrorCategory.InvalidArgument or GuestAgentErrorCategory.LimitsExceeded)
        {
            Post(() => WriteError(ErrorRecords.Of(e, guest.Target)));
        }
    }

    private async Task ReadAsync(Guest guest, string path, CallOptions call, CancellationToken cancellationToken)
    {
        var range = new ContentRange(TotalCount, Tail, Wait);
        if (Raw)
        {
            var content = new MemoryStream();
            await GuestContent.ReadBytesAsync(guest.Session, path, range, piece =>
            {
                if (content.Length + piece.Length > MaxRaw)
                {
                    throw ErrorCatalogue.ItemTooLarge.With(path, guest.Session.Endpoint, MaxRaw);
                }

                content.Write(piece.ToArray(), 0, piece.Length);
                return Task.CompletedTask;
            }, call, cancellationToken).ConfigureAwait(false);
            var bytes = content.ToArray();
            object output = AsByteStream ? bytes : GuestText.Decode(bytes, Encoding ?? new UTF8Encoding(false));
            await SendAsync(() => WriteObject(Marked(output, guest)), cancellationToken).ConfigureAwait(false);
        }
        else if (AsByteStream)
        {
            await GuestContent.ReadBytesAsync(guest.Session, path, range, piece =>
            {
                var bytes = piece.ToArray();
                return SendAsync(() => WriteObject(bytes, enumerateCollection: true), cancellationToken);
            }, call, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await GuestContent.ReadLinesAsync(
                guest.Session, path, Encoding, range,
                lines => SendAsync(() => WriteObject(lines.Select(line => Marked(line, guest)), enumerateCollection: true), cancellationToken),
                call, cancellationToken).ConfigureAwait(false);
        }
    }

    // As Get-Content marks its lines with their file.
    private static object? Marked(object text, Guest guest) => ReplyConverter.Mark(PSObject.AsPSObject(text), guest.Target);
}
