using QemuGuestAgent.Core.Endpoints;

namespace QemuGuestAgent.Core.Tests.Endpoints;

/// <summary>The folders of a user: what another user has prepared there is not used.</summary>
public sealed class UserFolderTests : IDisposable
{
    private readonly DirectoryInfo _own = Directory.CreateTempSubdirectory("qga");
    private readonly DirectoryInfo _shared = Directory.CreateTempSubdirectory("qga");
    private readonly List<string> _told = [];

    public UserFolderTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "Folders are given by the system there.");

    private string Wanted => Path.Combine(_shared.FullName, $"QemuGuestAgent-{FileStatus.User}");

    public void Dispose()
    {
        _own.Delete(recursive: true);
        _shared.Delete(recursive: true);
    }

    [Fact]
    public void It_is_made_for_its_user_alone_and_found_again()
    {
        var folder = UserFolder.Find([_own.FullName], _told.Add);
        Assert.True(FileStatus.Of(folder) is { IsFolder: true, IsPrivate: true });
        Assert.Equal(folder, UserFolder.Find(["/no/such", "relative", _own.FullName], _ => { }));
        Assert.Empty(_told);
    }

    [Fact]
    public void The_system_has_one()
    {
        Assert.True(FileStatus.Of(UserFolder.ForLocks(_told.Add)) is { IsFolder: true, IsPrivate: true });
        Assert.Empty(_told);
    }

    [Theory]
    [InlineData("mkdir \"$0\"")]
    [InlineData("mkdir -m 700 \"$0\"")]
    [InlineData("ln -s \"$1\" \"$0\"")]
    [InlineData("ln -s /no/such \"$0\"")]
    [InlineData("mkfifo -m 666 \"$0\"")]
    [InlineData("echo > \"$0\"")]
    public async Task What_another_user_has_put_there_is_left_alone_and_told(string script)
    {
        // As /tmp and /dev/shm are.
        Nobody.SetMode(_shared.FullName, (UnixFileMode)0b1_111_111_111);
        await Nobody.RunAsync(script, Wanted, _own.FullName);
        var folder = UserFolder.Find([_shared.FullName, _own.FullName], _told.Add);
        Assert.Equal(_own.FullName, Path.GetDirectoryName(folder));
        Assert.Contains($"'{Wanted}' is not used:", Assert.Single(_told), StringComparison.Ordinal);
        Assert.Throws<IOException>(() => UserFolder.Find([_shared.FullName], _told.Add));
    }

    [Fact]
    public void One_in_which_others_may_replace_it_is_not_used()
    {
        Nobody.SetMode(_shared.FullName, (UnixFileMode)0b111_111_111);
        Assert.Throws<IOException>(() => UserFolder.Find([_shared.FullName], _told.Add));
        Assert.Contains("any user can replace", Assert.Single(_told), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_of_another_user_is_not_used()
    {
        // As XDG_RUNTIME_DIR is after su.
        Nobody.SetMode(_shared.FullName, (UnixFileMode)0b1_111_111_111);
        var runtime = Path.Combine(_shared.FullName, "user");
        await Nobody.RunAsync("mkdir -m 700 \"$0\"", runtime);
        Assert.Throws<IOException>(() => UserFolder.Find([runtime], _told.Add));
        Assert.Contains("belongs to another user", Assert.Single(_told), StringComparison.Ordinal);
    }
}
