using System.IO.Compression;
using System.Text;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>Copies many small files by one program of the guest.</summary>
/// <param name="session">The session with its agent.</param>
/// <param name="followsNoLink">Whether its tar opens no link in the place of a file.</param>
/// <param name="moveOption">The option by which mv takes no folder for its target.</param>
/// <param name="time">The time of the copy.</param>
internal sealed class PosixPacks(GuestAgentSession session, bool followsNoLink, string moveOption, OperationTime time)
{
    private const int OwnerReads = 0x100; // 0400

    // The names whose leftovers are removed.
    private readonly HashSet<string> _cleaned = [];

    /// <summary>Whether a file's name can be in an archive and in a list of checksums as it is.</summary>
    public static bool Takes(string name) => TarArchive.Fits(name) && name.IndexOfAny(['\\', '\n', '\r']) < 0;

    /// <summary>
    /// Sends files, with a name for what is beside them meanwhile; returns those that are there now. The others, such as those whose place
    /// is taken, were not touched.
    /// </summary>
    public async Task<IReadOnlyDictionary<PackedFile, string?>> SendAsync(
        string root, string name, IReadOnlyList<PackedFile> files, bool replaces, CancellationToken cancellationToken)
    {
        var folders = files.GroupBy(file => file.Way, StringComparer.Ordinal).ToList();
        var folder = PartialName.CreateFolder(name);
        var prefix = _cleaned.Contains(name) ? "" : PartialName.Prefix(name);
        var tool = PosixFileTools.Shell(
            PackScripts.Take, [root, folder, prefix, replaces ? "y" : "n", moveOption, .. folders.Select(group => group.Key)])
            with { Input = Pack(folders) };
        GuestExecutionStatus end;
        try
        {
            end = await session.RunGuardedToolAsync(tool, time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception)
        {
            await session.TryRunToolAsync(PosixFileTools.Shell(PackScripts.Remove, [root, folder])).ConfigureAwait(false);
            throw;
        }

        _cleaned.Add(name);
        if (end.ExitCode != 0 || end.IsTruncated)
        {
            return new Dictionary<PackedFile, string?>();
        }

        var left = new HashSet<string>(PosixFileTools.Records(end), StringComparer.Ordinal);
        return folders.SelectMany((group, i) => group.Where(file => !left.Contains($"{i}") && !left.Contains($"{i}/{file.Name}")))
            .ToDictionary(file => file, _ => (string?)null);
    }

    /// <summary>Receives files below one folder; returns those that came as they were listed.</summary>
    public async Task<IReadOnlyDictionary<GuestItem, ReadOnlyMemory<byte>>> ReceiveAsync(
        string root, IReadOnlyList<GuestItem> items, CancellationToken cancellationToken)
    {
        var received = new Dictionary<GuestItem, ReadOnlyMemory<byte>>();
        var folders = items.GroupBy(item => string.Join("/", item.Names.Take(item.Names.Length - 1)), StringComparer.Ordinal).ToList();
        var names = folders.SelectMany(group => group.Select(NameOf).Prepend("/" + group.Key));
        var end = await session.RunGuardedToolAsync(
            PosixFileTools.Shell(PackScripts.Give, [root, followsNoLink ? "y" : "n", .. names]), time, cancellationToken).ConfigureAwait(false);
        var told = Encoding.ASCII.GetString(end.Errors).Split('\n');
        if (end.IsTruncated || told.Length <= folders.Count || told[folders.Count].Split(' ')[0] != PartialName.HashOf(end.Output))
        {
            return received;
        }

        // One that failed has perhaps no archive.
        var archives = TarArchive.Read(end.Output).GetEnumerator();
        for (var i = 0; i < folders.Count && told[i] == "0" && archives.MoveNext(); i++)
        {
            foreach (var item in folders[i])
            {
                if (archives.Current.TryGetValue(NameOf(item), out var content) && content.Length == item.Size)
                {
                    received[item] = content;
                }
            }
        }

        return received;
    }

    private static string NameOf(GuestItem item) => item.Names[item.Names.Length - 1];

    private static byte[] Pack(List<IGrouping<string, PackedFile>> folders)
    {
        using var input = new MemoryStream();
        using (var archive = new GZipStream(input, CompressionLevel.Fastest, leaveOpen: true))
        {
            Write(archive, folders);
        }

        return input.ToArray();
    }

    private static void Write(Stream archive, List<IGrouping<string, PackedFile>> folders)
    {
        var sums = new StringBuilder();
        for (var i = 0; i < folders.Count; i++)
        {
            foreach (var file in folders[i])
            {
                var folder = $"{PackScripts.Content}/{i}";
                TarArchive.Add(archive, folder, file.Name, file.Content, file.Mode, file.Modified);
                sums.Append(file.Hash).Append("  ").Append(folder).Append('/').Append(file.Name).Append('\n');
            }
        }

        TarArchive.Add(archive, "", PackScripts.Sums, Encoding.UTF8.GetBytes(sums.ToString()), OwnerReads, default);
        TarArchive.End(archive);
    }
}
