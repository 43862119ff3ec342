using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Windows;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Session;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

/// <summary>A Windows guest of a dictionary: the agent's files, locked while they are open, and a helper that answers for them.</summary>
internal sealed class FakeWindowsGuest
{
    private readonly Dictionary<long, (string Path, int Position)> _open = [];

    /// <summary>What is there.</summary>
    public Dictionary<string, byte[]> Files { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The folders that are there.</summary>
    public HashSet<string> Folders { get; } = new(StringComparer.OrdinalIgnoreCase) { @"C:\", @"C:\in" };

    /// <summary>What was asked of the helper, and opened, in order.</summary>
    public List<string> Happened { get; } = [];

    /// <summary>The arguments of the last question of each function.</summary>
    public Dictionary<string, string[]> Asked { get; } = [];

    /// <summary>What the helper answers instead of the truth.</summary>
    public Dictionary<string, HelperAnswer> Lies { get; } = [];

    /// <summary>The questions in whose middle the host gives up.</summary>
    public HashSet<string> GivenUp { get; } = [];

    /// <summary>The paths of open files.</summary>
    public IEnumerable<string> Open => _open.Values.Select(file => file.Path);

    /// <summary>The handle that the next file gets.</summary>
    public long NextHandle { get; set; } = 1000;

    /// <summary>Opens a file as the agent does for another client.</summary>
    public long OpenFor(string path)
    {
        _open.Add(NextHandle, (path, 0));
        return NextHandle++;
    }

    public Task<GuestAgentSession> ConnectAsync() => EmbeddedEndpoint.Register($"windows-{Guid.NewGuid()}", new EmbeddedGuestAgent(
        new EmbeddedGuestAgentOptions
        {
            GuestOS = EmbeddedGuestOS.Windows,
            Commands = new Dictionary<string, Func<JsonElement, JsonNode?>>
            {
                ["guest-file-open"] = OpenFile,
                ["guest-file-close"] = arguments => _open.Remove(Handle(arguments))
                    ? new JsonObject()
                    : throw new EmbeddedCommandException($"handle '{Handle(arguments)}' has not been found"),
                ["guest-file-flush"] = _ => new JsonObject(),
                ["guest-file-seek"] = Seek,
                ["guest-file-read"] = Read,
                ["guest-file-write"] = Write,
            },
        })).Connect();

    public WindowsFileTools Tools(GuestAgentSession session) => new(session, new OperationTime(TimeProvider.System, null), AskAsync);

    public CopyJob Job(GuestAgentSession session, ItemCopyOptions options) => new(
        session, options, new OperationTime(TimeProvider.System, null), new WindowsPlatform(), Tools(session), null,
        TestContext.Current.CancellationToken);

    private static long Handle(JsonElement arguments) => arguments.GetProperty("handle").GetInt64();

    private static string Sum(byte[] content) => Convert.ToHexString(SHA256.HashData(content)).ToLowerInvariant();

    private JsonNode OpenFile(JsonElement arguments)
    {
        var (path, mode) = (arguments.GetProperty("path").GetString()!, arguments.GetProperty("mode").GetString()!);
        Happened.Add($"{mode} {path}");
        if (path != "NUL" && (!Files.ContainsKey(path) || mode == "w"))
        {
            throw new EmbeddedCommandException($"failed to open file '{path}'");
        }

        return OpenFor(path);
    }

    private JsonObject Seek(JsonElement arguments)
    {
        var file = _open[Handle(arguments)];
        file.Position = arguments.GetProperty("offset").GetInt32() + ($"{arguments.GetProperty("whence")}" == "end" ? Content(file.Path).Length : 0);
        _open[Handle(arguments)] = file;
        return new JsonObject { ["position"] = file.Position, ["eof"] = false };
    }

    private JsonObject Read(JsonElement arguments)
    {
        var file = _open[Handle(arguments)];
        var piece = Content(file.Path).Skip(file.Position).Take(arguments.GetProperty("count").GetInt32()).ToArray();
        _open[Handle(arguments)] = (file.Path, file.Position + piece.Length);
        return new JsonObject { ["count"] = piece.Length, ["buf-b64"] = Convert.ToBase64String(piece), ["eof"] = piece.Length == 0 };
    }

    private JsonObject Write(JsonElement arguments)
    {
        var file = _open[Handle(arguments)];
        var piece = arguments.GetProperty("buf-b64").GetBytesFromBase64();
        Files[file.Path] = [.. Content(file.Path).Take(file.Position), .. piece];
        _open[Handle(arguments)] = (file.Path, file.Position + piece.Length);
        return new JsonObject { ["count"] = piece.Length, ["eof"] = false };
    }

    private byte[] Content(string path) => path == "NUL" ? [] : Files[path];

    private Task<HelperAnswer> AskAsync(
        string function, IReadOnlyList<string> arguments, OperationTime time, CancellationToken cancellationToken)
    {
        Happened.Add(function);
        Asked[function] = [.. arguments];
        return GivenUp.Contains(function)
            ? Task.FromException<HelperAnswer>(new OperationCanceledException())
            : Task.FromResult(Lies.TryGetValue(function, out var lie) ? lie : Answer(function, [.. arguments]));
    }

    private HelperAnswer Answer(string function, string[] given) => function switch
    {
        "Get-ItemList" => List(given[0]),
        "Get-HeldHash" => Done(given[2].Length > 0 ? Sum([.. Files[Join(given[0], given[1])].Take(Number(given[2]))]) : ""),
        "New-FolderList" => Done([.. given.Skip(1).Where(way => Folders.Add(Join(given[0], way)))]),
        "Set-FolderTime" or "Test-Opening" or "Clear-Pack" or "Stop-Pack" => Done(),
        "Expand-Pack" => Expand(given[0], given[2] == "y", given[3], given[4..]),
        "Compress-Pack" => Pack([.. given.Skip(1).Where((_, i) => i % 2 == 0).Select(way => Files[Join(given[0], way)])]),
        "Add-FileContent" => Add(given[0], given[1] == "y", given[2], given[3]),
        "Start-Part" => Start(Join(given[0], given[1]), given[2], given[3], given[4], given[5] == "y", given[6], given[7]),
        "Test-OpenPart" => Open.Contains(Join(Join(given[0], given[1]), $@"{given[2]}\{given[3]}")) ? Done() : new("Replaced", ["another"]),
        "Complete-Part" => Complete(Join(given[0], given[1]), given[2], given[3], given[4], given[6]),
        "Remove-Part" => Remove(Join(Join(given[0], given[1]), given[2])),
        "Find-Part" => Find(Join(given[0], given[1]), given[2]),
        _ => new("Failed", [$"There is no {function}."]),
    };

    /// <summary>What the helper answers with files.</summary>
    public static HelperAnswer Pack(params byte[][] files)
    {
        using var packed = new MemoryStream();
        using (var content = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            content.Write([.. files.SelectMany(file => file)]);
        }

        return Done([.. files.Select(Sum), Convert.ToBase64String(packed.ToArray())]);
    }

    private HelperAnswer Expand(string root, bool replaces, string packed, string[] texts)
    {
        using var content = new BinaryReader(new GZipStream(new MemoryStream(Convert.FromBase64String(packed)), CompressionMode.Decompress));
        var told = new List<string>();
        foreach (var (file, number) in texts.Chunk(5).Select((file, number) => (file, number)))
        {
            var (path, bytes) = (Join(Join(root, file[0]), file[1]), content.ReadBytes(Number(file[2])));
            if (Sum(bytes) == file[3] && (replaces || !Files.ContainsKey(path)))
            {
                Files[path] = bytes;
                told.AddRange([$"{number}", ""]);
            }
        }

        return Done([.. told]);
    }

    private HelperAnswer List(string path) =>
        Folders.Contains(path) || Folders.Contains(path.TrimEnd('\\')) ? Done("", $"d 0 1.5 0 {path}")
        : Files.TryGetValue(path, out var content) ? Done("", $"f {content.Length} 1.5 0 {path}")
        : Done();

    private HelperAnswer Add(string path, bool empties, string mark, string content)
    {
        var left = empties || !Files.TryGetValue(path, out var there) ? [] : there;
        Files[path] = [.. left, .. left.Length == 0 ? Convert.FromBase64String(mark) : [], .. Convert.FromBase64String(content)];
        return Done();
    }

    private HelperAnswer Start(string here, string folder, string part, string name, bool replaces, string left, string prefix)
    {
        if (!replaces && Files.ContainsKey(Join(here, name)))
        {
            return new("Exists", ["there"]);
        }

        if (left.Length == 0)
        {
            Files[Join(here, $@"{folder}\{part}")] = [];
        }
        else
        {
            Files.Remove(Join(here, $@"{folder}\{left}"), out var content);
            Files[Join(here, $@"{folder}\{part}")] = content!;
        }

        return Done(here, Parts(here, prefix).Count > 1 ? "y" : "n");
    }

    private HelperAnswer Complete(string here, string folder, string part, string name, string sum)
    {
        var path = Join(here, $@"{folder}\{part}");
        if (Sum(Files[path]) != sum)
        {
            return new("Differs", ["not the same"]);
        }

        Files.Remove(path, out var content);
        Files[Join(here, name)] = content!;
        return Done();
    }

    private HelperAnswer Remove(string folder)
    {
        if (Open.Any(path => path.StartsWith(folder, StringComparison.Ordinal)))
        {
            return new("Failed", ["It is open."]);
        }

        foreach (var path in Files.Keys.Where(path => path.StartsWith(folder, StringComparison.Ordinal)).ToList())
        {
            Files.Remove(path);
        }

        return Done();
    }

    private HelperAnswer Find(string here, string prefix) => Done([.. Parts(here, prefix).SelectMany(path =>
    {
        var names = path[GuestPath.Windows.Inside(here).Length..].Split('\\');
        return new[] { names[0], names[1], "", Files[path].Length.ToString(CultureInfo.InvariantCulture), Sum(Files[path]) };
    })]);

    private List<string> Parts(string here, string prefix) =>
        [.. Files.Keys.Where(path => path.StartsWith(Join(here, prefix), StringComparison.Ordinal) && path.Contains(".partial", StringComparison.Ordinal))];

    private static string Join(string folder, string name) => name.Length > 0 || folder.EndsWith('\\') ? GuestPath.Windows.Join(folder, name) : folder;

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static HelperAnswer Done(params string[] fields) => new("", fields);
}
