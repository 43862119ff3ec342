using System.Buffers.Binary;
using System.Security.Cryptography;

namespace QemuGuestAgent.Core.Session;

/// <summary>Ids of syncs and requests: 63 random bits, since a guest could answer an id that it can guess in advance.</summary>
internal static class RequestId
{
    // The system's generator takes as long for one id as for many: a third of all that a command takes here.
    private static readonly byte[] Block = new byte[512 * sizeof(long)];
    private static readonly RandomNumberGenerator Generator = RandomNumberGenerator.Create();
    private static int _used = Block.Length;

    public static long Next()
    {
        lock (Block)
        {
            if (_used == Block.Length)
            {
                Generator.GetBytes(Block);
                _used = 0;
            }

            var id = BinaryPrimitives.ReadInt64LittleEndian(Block.AsSpan(_used)) & long.MaxValue;
            _used += sizeof(long);
            return id;
        }
    }
}
