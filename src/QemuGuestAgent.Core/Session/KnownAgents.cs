using System.Buffers;
using QemuGuestAgent.Core.Schema;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Session;

/// <summary>What agents said to guest-info. Those of many guests say the same, byte for byte: it is parsed once, and kept once.</summary>
internal sealed class KnownAgents
{
    /// <summary>Those of this process.</summary>
    public static readonly KnownAgents All = new();

    private const int MaxKept = 8;

    // Several times as long as QEMU's own.
    private const int MaxBytes = 64 << 10;

    // The latest first. Of two that are added at the same time one may be lost, and parsed again.
    private volatile (byte[] Text, GuestAgentInfo Info)[] _kept = [];

    /// <summary>Reads the value of a reply to guest-info.</summary>
    /// <exception cref="InvalidOperationException">It is none.</exception>
    public GuestAgentInfo Read(in Reply reply)
    {
        foreach (var (text, known) in _kept)
        {
            if (IsSame(reply.Return, text))
            {
                return known;
            }
        }

        var reader = reply.OpenReturn();
        var info = GuestAgentInfo.Parse(ref reader);
        if (reply.Return.Length <= MaxBytes)
        {
            _kept = [(reply.Return.ToArray(), info), .. _kept.Take(MaxKept - 1)];
        }

        return info;
    }

    private static bool IsSame(in ReadOnlySequence<byte> bytes, ReadOnlySpan<byte> text)
    {
        if (bytes.Length != text.Length)
        {
            return false;
        }

        foreach (var segment in bytes)
        {
            if (!text.StartsWith(segment.Span))
            {
                return false;
            }

            text = text.Slice(segment.Length);
        }

        return true;
    }
}
