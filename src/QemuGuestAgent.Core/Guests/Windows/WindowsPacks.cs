using System.Globalization;
using System.IO.Compression;

namespace QemuGuestAgent.Core.Guests.Windows;

/// <summary>Copies many small files by one question to the helper of a Windows guest.</summary>
/// <param name="time">The time of the copy.</param>
/// <param name="ask">Asks the helper.</param>
internal sealed class WindowsPacks(OperationTime time, HelperQuestion ask)
{
    private readonly Dictionary<string, Task> _cleaned = new(StringComparer.Ordinal);

    /// <summary>As the guest's tools do.</summary>
    public async Task<IReadOnlyDictionary<PackedFile, string?>> SendAsync(
        WindowsFileTools tools, string root, string name, IReadOnlyList<PackedFile> files, bool replaces, CancellationToken cancellationToken)
    {
        // Those of a folder follow each other.
        files = [.. files.OrderBy(file => file.Way, StringComparer.OrdinalIgnoreCase)];
        var folder = PartialName.CreateFolder(name);

        // Before the first begins: it has no lock in its folder at once.
        if (!_cleaned.TryGetValue(name, out var cleaned))
        {
            _cleaned[name] = cleaned = AskAsync("Clear-Pack", [root, PartialName.Prefix(name)], cancellationToken);
        }

        await cleaned.ConfigureAwait(false);
        IReadOnlyList<string> told;
        try
        {
            told = await AskAsync(
                "Expand-Pack",
                [
                    root, folder, WindowsFileTools.YesOrNo(replaces), Pack(files), .. files.SelectMany(file => new[]
                    {
                        file.Way, file.Name, WindowsFileTools.Number(file.Content.Length), file.Hash, WindowsFileTools.Ticks(file.Modified),
                    }),
                ],
                cancellationToken).ConfigureAwait(false);
        }
        catch (Exception)
        {
            await tools.TryAskAsync("Stop-Pack", folder).ConfigureAwait(false);
            throw;
        }

        var sent = new Dictionary<PackedFile, string?>();
        for (var i = 0; i + 1 < told.Count; i += 2)
        {
            if (int.TryParse(told[i], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < files.Count)
            {
                sent[files[number]] = told[i + 1].Length > 0 ? told[i + 1] : null;
            }
        }

        return sent;
    }

    /// <summary>As the guest's tools do.</summary>
    public async Task<IReadOnlyDictionary<GuestItem, ReadOnlyMemory<byte>>> ReceiveAsync(
        string root, IReadOnlyList<GuestItem> items, CancellationToken cancellationToken)
    {
        var told = await AskAsync(
            "Compress-Pack", [root, .. items.SelectMany(item => new[] { item.Way, WindowsFileTools.Number(item.Size) })], cancellationToken)
            .ConfigureAwait(false);
        var received = new Dictionary<GuestItem, ReadOnlyMemory<byte>>();
        if (told.Count != items.Count + 1)
        {
            return received;
        }

        try
        {
            // No more is unpacked than was asked for.
            using var content = new BinaryReader(new GZipStream(
                new MemoryStream(Convert.FromBase64String(told[items.Count])), CompressionMode.Decompress));
            for (var i = 0; i < items.Count; i++)
            {
                if (told[i].Length > 0 && content.ReadBytes((int)items[i].Size) is var bytes && PartialName.HashOf(bytes) == told[i])
                {
                    received[items[i]] = bytes;
                }
            }
        }
        catch (Exception e) when (e is FormatException or InvalidDataException)
        {
            // What has come before is right.
        }

        return received;
    }

    // Where the helper could do nothing at all, each file says why.
    private async Task<IReadOnlyList<string>> AskAsync(string function, string[] arguments, CancellationToken cancellationToken)
    {
        var answer = await ask(function, arguments, time, cancellationToken).ConfigureAwait(false);
        return answer.Code.Length == 0 ? answer.Fields : [];
    }

    private static string Pack(IReadOnlyList<PackedFile> files)
    {
        using var packed = new MemoryStream();
        using (var content = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            foreach (var file in files)
            {
                content.Write(file.Content.ToArray(), 0, file.Content.Length);
            }
        }

        return Convert.ToBase64String(packed.ToArray());
    }
}
