#if !NET
using System.Runtime.InteropServices;
#endif

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>The calls of a stream by memory, which .NET Framework's streams do not have. The memory must be an array's there.</summary>
internal static class StreamCalls
{
    public static ValueTask<int> ReadSomeAsync(this Stream stream, Memory<byte> buffer, CancellationToken cancellationToken) =>
#if NET
        stream.ReadAsync(buffer, cancellationToken);
#else
        MemoryMarshal.TryGetArray<byte>(buffer, out var bytes)
            ? new(stream.ReadAsync(bytes.Array!, bytes.Offset, bytes.Count, cancellationToken))
            : throw new NotSupportedException();
#endif

    public static ValueTask WriteAllAsync(this Stream stream, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken) =>
#if NET
        stream.WriteAsync(buffer, cancellationToken);
#else
        MemoryMarshal.TryGetArray(buffer, out var bytes)
            ? new(stream.WriteAsync(bytes.Array!, bytes.Offset, bytes.Count, cancellationToken))
            : throw new NotSupportedException();
#endif
}
