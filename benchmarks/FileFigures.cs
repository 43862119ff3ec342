using System.Buffers.Text;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Benchmarks;

/// <summary>Files, both ways.</summary>
internal static class FileFigures
{
    private const int Bytes = 32 << 20;
    private const int Rounds = 5;

    public static async Task RunAsync()
    {
        using var bareAgent = new RealAgent();
        using var ourAgent = new RealAgent();
        using var socket = bareAgent.Connect();
        using var session = await GuestAgentSession.ConnectAsync(ourAgent.Endpoint);
        var content = new byte[Bytes];
        new Random(1).NextBytes(content);
        var file = Path.Combine(ourAgent.Folder, "file");
        await File.WriteAllBytesAsync(file, content);
        foreach (var piece in new[] { 64 << 10, 1 << 20, 16 << 20 })
        {
            var name = piece < 1 << 20 ? $"{piece >> 10} KiB" : $"{piece >> 20} MiB";
            var bare = new BareFile(socket, piece);
            await Comparison.RunAsync(
                $"file read, {Bytes >> 20} MiB in pieces of {name}", "<= 1.05", 1, _ => Task.Run(() => bare.Read(file)),
                async _ => Check(await ReadAsync(session, file, piece)), Rounds);
            await Comparison.RunAsync(
                $"file write, {Bytes >> 20} MiB in pieces of {name}", "<= 1.05", 1, _ => Task.Run(() => bare.Write(file + ".bare", content)),
                _ => WriteAsync(session, file + ".ours", content, piece), Rounds);
        }

        var oneMebibyte = new BareFile(socket, 1 << 20);
        var copy = Path.Combine(ourAgent.Folder, "copy");
        await Comparison.RunAsync(
            "Copy-QemuGuestItem's whole way from the guest (checksum, rename, times), beside the bare read of 1 MiB pieces", "-", 1,
            _ => Task.Run(() => oneMebibyte.Read(file)),
            _ => GuestItems.ReceiveAsync(session, [file], true, copy, new ItemCopyOptions { Force = true }), Rounds);
        await Comparison.RunAsync(
            "the same to the guest", "-", 1,
            _ => Task.Run(() => oneMebibyte.Write(file + ".bare", content)),
            _ => GuestItems.SendAsync(session, [file], copy, new ItemCopyOptions { Force = true }), Rounds);
    }

    /// <summary>Reads a file by the session alone; returns its length.</summary>
    public static async Task<long> ReadAsync(GuestAgentSession session, string path, int piece)
    {
        var buffer = new byte[piece];
        await using var file = await GuestFile.OpenAsync(session, path, "r", new OperationTime(session.Clock, null), default);
        var total = 0L;
        for (var count = -1; count != 0; total += count)
        {
            count = await file.ReadAsync(buffer, piece, default);
        }

        return total;
    }

    /// <summary>Writes a file by the session alone.</summary>
    public static async Task WriteAsync(GuestAgentSession session, string path, byte[] content, int piece)
    {
        await using var file = await GuestFile.OpenAsync(session, path, "w", new OperationTime(session.Clock, null), default);
        for (var start = 0; start < content.Length; start += piece)
        {
            await file.WriteAsync(content.AsMemory(start, Math.Min(piece, content.Length - start)), default);
        }

        await file.CompleteAsync(default);
    }

    private static void Check(long bytes)
    {
        if (bytes != Bytes)
        {
            throw new InvalidOperationException($"{bytes} bytes came of {Bytes}.");
        }
    }

    /// <summary>The same requests by hand.</summary>
    private sealed class BareFile(Socket socket, int piece)
    {
        private readonly byte[] _buffer = new byte[Base64.GetMaxEncodedToUtf8Length(piece) + 256];
        private readonly byte[] _piece = new byte[piece];

        public void Read(string path)
        {
            var handle = Open(path, "r");
            var request = Encoding.ASCII.GetBytes($$$"""{"execute":"guest-file-read","arguments":{"handle":{{{handle}}},"count":{{{piece}}}}}""" + "\n");
            var total = 0L;
            for (var count = -1; count != 0; total += count)
            {
                // {"return": {"count": …, "buf-b64": "…", "eof": false}}
                var reply = _buffer.AsSpan(0, Bare.Exchange(socket, request, _buffer));
                var data = reply[(reply.IndexOf("buf-b64"u8) + "buf-b64\": \"".Length)..];
                Base64.DecodeFromUtf8(data[..data.IndexOf((byte)'"')], _piece, out _, out count);
            }

            Close(handle);
            Check(total);
        }

        public void Write(string path, byte[] content)
        {
            var handle = Open(path, "w");
            var head = Encoding.ASCII.GetBytes($$$"""{"execute":"guest-file-write","arguments":{"handle":{{{handle}}},"buf-b64":" """.TrimEnd());
            var reply = new byte[1024];
            for (var start = 0; start < content.Length; start += piece)
            {
                head.CopyTo(_buffer, 0);
                Base64.EncodeToUtf8(content.AsSpan(start, piece), _buffer.AsSpan(head.Length), out _, out var count);
                "\"}}"u8.CopyTo(_buffer.AsSpan(head.Length + count));
                Bare.Exchange(socket, _buffer.AsSpan(0, head.Length + count + 3), reply);
            }

            Command("guest-file-flush", $$"""{"handle":{{handle}}}""");
            Close(handle);
        }

        private long Open(string path, string mode) =>
            Command("guest-file-open", $$"""{"path":"{{path}}","mode":"{{mode}}"}""").GetInt64();

        private void Close(long handle) => Command("guest-file-close", $$"""{"handle":{{handle}}}""");

        private JsonElement Command(string name, string arguments)
        {
            var request = Encoding.ASCII.GetBytes($$"""{"execute":"{{name}}","arguments":{{arguments}}}""" + "\n");
            var reply = JsonDocument.Parse(_buffer.AsMemory(0, Bare.Exchange(socket, request, _buffer))).RootElement.Clone();
            return reply.GetProperty("return");
        }
    }
}
