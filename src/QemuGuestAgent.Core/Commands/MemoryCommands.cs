using System.Text.Json;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Commands;

/// <summary>A block of a guest's memory, as it can be put in and out of use.</summary>
public sealed class GuestMemoryBlock(ulong? physicalIndex, bool? online, bool? canOffline, long? size = null)
{
    /// <summary>Its number in the guest, or null.</summary>
    public ulong? PhysicalIndex { get; } = physicalIndex;

    /// <summary>Whether it is used, or null.</summary>
    public bool? Online { get; } = online;

    /// <summary>Whether it can be taken offline, or null.</summary>
    public bool? CanOffline { get; } = canOffline;

    /// <summary>The size of each of the guest's blocks, in bytes, or null where it was not asked for or told.</summary>
    public long? Size { get; } = size;

    /// <summary>The number of the block.</summary>
    public override string ToString() => $"{PhysicalIndex}";
}

/// <summary>The commands about a guest's memory.</summary>
public static class MemoryCommands
{
    /// <summary>Gets the guest's memory blocks (guest-get-memory-blocks, QEMU 2.3), by number.</summary>
    /// <inheritdoc cref="GuestAgentSession.InvokeAsync{T}"/>
    public static async Task<IReadOnlyList<GuestMemoryBlock>> GetMemoryBlocksAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var query = session.QueryListAsync("guest-get-memory-blocks", ParseBlock, call, cancellationToken);
        return [.. (await query.ConfigureAwait(false)).OrderBy(block => block.PhysicalIndex)];
    }

    /// <summary>Gets the size of a memory block (guest-get-memory-block-info, QEMU 2.3), in bytes, or null.</summary>
    /// <inheritdoc cref="GuestAgentSession.InvokeAsync{T}"/>
    public static Task<long?> GetMemoryBlockSizeAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        session.AskAsync("guest-get-memory-block-info", reply => reply.Size("size"), call, cancellationToken);

    internal static GuestMemoryBlock ParseBlock(JsonElement item) =>
        new(item.Counter("phys-index"), item.Flag("online"), item.Flag("can-offline"));
}
