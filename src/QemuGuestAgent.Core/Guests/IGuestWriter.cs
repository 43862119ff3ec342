namespace QemuGuestAgent.Core.Guests;

/// <summary>Writes a file of a guest, from where it stands on.</summary>
internal interface IGuestWriter : IAsyncDisposable
{
    /// <summary>Writes on, all of it or it fails.</summary>
    Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Ends once all that was written has gone to the guest's file system.</summary>
    Task CompleteAsync(CancellationToken cancellationToken);
}
