using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Endpoints.Finding;
using QemuGuestAgent.Core.Tests.Endpoints.Libvirt;

namespace QemuGuestAgent.Core.Tests.Endpoints.Finding;

/// <summary>A host that is a folder.</summary>
internal sealed class FakeHost : IDisposable
{
    public const string AgentDevice = "virtserialport,bus=virtio-serial0.0,nr=1,chardev=qga0,id=channel0,name=org.qemu.guest_agent.0";

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("qga");

    public FakeLibvirt Libvirt { get; } = new();

    public List<string> Told { get; } = [];

    /// <summary>Where it is.</summary>
    public string Root => _root.FullName;

    public void Dispose()
    {
        Libvirt.Dispose();
        _root.Delete(recursive: true);
    }

    public IReadOnlyList<FoundChannel> Find() => new ChannelFinder(Root, Libvirt, "/run/user/1000", FileStatus.User).Find(Told.Add);

    /// <summary>A channel of the user that the tests run as, who has no name here.</summary>
    public static FoundChannel Own(string name, string endpoint, string source, FoundChannelState state, int? id) =>
        new(name, endpoint, source, state, $"{FileStatus.User}", true, id);

    /// <summary>Has a process of the user that the tests run as.</summary>
    public void Start(int id, string program, params string[] words) => StartOf($"{FileStatus.User}", id, program, words);

    /// <summary>Has a process of a user, or of several: real, effective, saved, of the file system.</summary>
    public void StartOf(string users, int id, string program, params string[] words)
    {
        Write($"/proc/{id}/cmdline", string.Concat(words.Prepend(program).Select(word => word + '\0')));
        Write($"/proc/{id}/status", $"Name:\t{program}\nUid:\t{(users.Contains('\t') ? users : string.Join('\t', users, users, users, users))}\nGid:\t0\t0\t0\t0\n");
        Link($"/proc/{id}/cwd", "/home/vm");
    }

    public void Write(string path, string text = "") => File.WriteAllText(Made(path), text);

    public void Link(string path, string target)
    {
        File.Delete(Made(path));
        File.CreateSymbolicLink(Made(path), target);
    }

    private string Made(string path)
    {
        var full = Path.Combine(Root, path.TrimStart('/'));
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        return full;
    }
}
