using System.Buffers.Binary;
using System.Security.Cryptography;

namespace QemuGuestAgent.Core.Session;

/// <summary>Ids of syncs and requests: 63 random bits, since a guest could answer an id that it can guess in advance.</summary>
internal static class RequestId
{
    public static long Next()
    {
#if NET
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        RandomNumberGenerator.Fill(bytes);
#else
        var bytes = new byte[sizeof(long)];
        using var generator = RandomNumberGenerator.Create();
        generator.GetBytes(bytes);
#endif
        return BinaryPrimitives.ReadInt64LittleEndian(bytes) & long.MaxValue;
    }
}
