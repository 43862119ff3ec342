using System.Diagnostics;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Guests.Posix;
using QemuGuestAgent.Core.Operations.Files;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

/// <summary>What a copy decides without a guest.</summary>
public sealed class CopyPartsTests
{
    [Theory]
    [InlineData("/", false, "", "/")]
    [InlineData("/a", false, "a", "/")]
    [InlineData("/a/b", false, "b", "/a/")]
    [InlineData("/a/b//", false, "b", "/a/")]
    [InlineData(@"/a/b\c", false, @"b\c", "/a/")]
    [InlineData(@"C:\a\b", true, "b", @"C:\a\")]
    [InlineData(@"C:/a/b\", true, "b", "C:/a/")]
    public void A_guest_path_has_a_name_and_a_folder(string path, bool isWindows, string name, string folder)
    {
        var paths = isWindows ? GuestPath.Windows : GuestPath.Posix;
        Assert.Equal(name, paths.Name(path));
        Assert.Equal(folder, paths.Folder(path));
    }

    [Theory]
    [InlineData("/a", true, false)]
    [InlineData("a", false, false)]
    [InlineData("", false, false)]
    [InlineData("~/a", false, false)]
    [InlineData(@"C:\a", false, true)]
    [InlineData("C:/a", false, true)]
    [InlineData("C:a", false, false)]
    [InlineData(@"\\server\share", false, true)]
    public void Only_some_paths_begin_at_a_root(string path, bool posix, bool windows)
    {
        Assert.Equal(posix, GuestPath.Posix.IsRooted(path));
        Assert.Equal(windows, GuestPath.Windows.IsRooted(path));
    }

    [Theory]
    [InlineData("name")]
    [InlineData("a.5.name")]
    [InlineData("")]
    public void A_partial_name_tells_its_handle_to_its_own_file_only(string name)
    {
        var partial = PartialName.Create(name, 1234);
        Assert.Equal(1234, PartialName.HandleIn(partial, name));
        Assert.Null(PartialName.HandleIn(partial, name + "x"));
        Assert.Null(PartialName.HandleIn(PartialName.Create(name + ".7", 1234), name));
        Assert.Null(PartialName.HandleIn(name, name));
        Assert.Null(PartialName.HandleIn(partial.Replace("1234", "x", StringComparison.Ordinal), name));
        Assert.NotEqual(partial, PartialName.Create(name, 1234));
    }

    [Theory]
    [InlineData("name")]
    [InlineData("a.5.name")]
    public void A_private_folder_is_that_of_its_own_file_only_and_its_part_tells_the_handle(string name)
    {
        var folder = PartialName.CreateFolder(name);
        Assert.True(PartialName.IsFolderOf(folder, name));
        Assert.False(PartialName.IsFolderOf(folder, name + "x"));
        Assert.False(PartialName.IsFolderOf(folder + "x", name));
        Assert.False(PartialName.IsFolderOf(PartialName.Create(name, 7), name));
        var part = PartialName.Part(folder, 1234);
        Assert.Equal(1234, PartialName.HandleInPart(part, folder));
        Assert.Null(PartialName.HandleInPart(part, PartialName.CreateFolder(name)));
        Assert.Null(PartialName.HandleInPart("x" + part, folder));
        Assert.Null(PartialName.HandleInPart("", folder));
    }

    [Theory]
    [InlineData('l')]
    [InlineData('漢')]
    public void A_partial_name_of_a_long_name_is_a_name(char c)
    {
        var name = new string(c, c == 'l' ? 255 : 85);
        var partial = PartialName.Create(name, long.MaxValue / 10);
        Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(partial), 1, 255);
        Assert.Equal(long.MaxValue / 10, PartialName.HandleIn(partial, name));
        Assert.Null(PartialName.HandleIn(partial, new string(c, 84) + "x"));
    }

    [Fact]
    public void Pieces_get_larger_while_that_makes_the_agent_faster_and_stay_within_bounds()
    {
        Assert.Equal(PieceSize.Max, Settle(bytes => TimeSpan.FromMilliseconds(10)));
        Assert.Equal(PieceSize.Min, Settle(bytes => TimeSpan.FromMilliseconds(bytes)));
        Assert.Equal(4 * PieceSize.Min, Settle(bytes => TimeSpan.FromMilliseconds(bytes <= 4 * PieceSize.Min ? 10 : bytes)));
        var fixedSize = new PieceSize(5000);
        fixedSize.Took(5000, TimeSpan.FromSeconds(1));
        Assert.Equal(5000, fixedSize.Current);

        static int Settle(Func<int, TimeSpan> time)
        {
            var pieces = new PieceSize(null);
            for (var i = 0; i < 100; i++)
            {
                Assert.InRange(pieces.Current, PieceSize.Min, PieceSize.Max);
                pieces.Took(pieces.Current, time(pieces.Current));
            }

            return pieces.Current;
        }
    }

    [Fact]
    public async Task What_is_removed_while_it_is_listed_is_left_out()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("The script is for a POSIX shell.");
            return;
        }

        var folder = Directory.CreateTempSubdirectory("qga-list-").FullName;
        try
        {
            var tools = Directory.CreateDirectory(Path.Combine(folder, "bin")).FullName;
            var files = Directory.CreateDirectory(Path.Combine(folder, "files")).FullName;
            await File.WriteAllTextAsync(Path.Combine(files, "stays"), "text", TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(Path.Combine(files, "goes"), "text", TestContext.Current.CancellationToken);

            // A stat that is just too late for one of them.
            var stat = Path.Combine(tools, "stat");
            await File.WriteAllTextAsync(stat, """
                #!/bin/sh
                for file; do :; done
                case $file in */goes) exit 1; esac
                PATH=${PATH#*:}
                exec stat "$@"

                """, TestContext.Current.CancellationToken);
            File.SetUnixFileMode(stat, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            var start = new ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true };
            foreach (var argument in new[] { "-c", GuestFileScripts.ListByStat, "sh", "9", "n", "-H", "", files })
            {
                start.ArgumentList.Add(argument);
            }

            start.Environment["PATH"] = $"{tools}:{start.Environment["PATH"]}";
            using var shell = Process.Start(start)!;
            var listed = await shell.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            Assert.Equal([files, Path.Combine(files, "stays")], GuestItem.Parse(listed.Split('\0'), GuestPath.Posix).Select(item => item.Path));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
