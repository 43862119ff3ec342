using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

// Links in a tree, and names that are not text.
public abstract partial class CopyTests
{
    private static readonly (string Path, string Target)[] KeptLinks =
        [("to file", "a/file"), ("a/up", ".././to file"), ("a/root", ".."), ("folder", "a"), ("nowhere", "none"), ("-n", "-f\n")];

    private static readonly (string Path, string Target)[] LeftLinks =
        [("out", "../outside/secret"), ("absolute", "/etc/passwd"), ("a/sly", "root/../../outside"), ("a/higher", "../../tree/a")];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Links_that_stay_inside_a_tree_are_kept_and_replaced_only_if_asked_to(bool sends)
    {
        var (from, to) = sends ? (Local, Guest) : (Guest, Local);
        var source = MakeLinkedTree(from);
        Task CopyAsync(ItemCopyOptions options) => CopyTreeAsync(sends, source, to, options);
        await CopyAsync(Options);
        var target = Path.Combine(to, "tree");
        Assert.Empty(_failures);
        Assert.Equal(LeftLinks.Length, _warnings.Count);
        Assert.All(_warnings, warning => Assert.Contains("-FollowLinks", warning, StringComparison.Ordinal));
        Assert.All(KeptLinks, link => Assert.Equal(link.Target, new FileInfo(Path.Combine(target, link.Path)).LinkTarget));
        Assert.Equal(2 + KeptLinks.Length, EntriesThroughNoLink(target).Count);
        Assert.Single(_copies);

        // The same ones are no conflict; another one is, and a file is never replaced by a link.
        Relink(Path.Combine(target, "folder"), "elsewhere");
        File.Delete(Path.Combine(target, "nowhere"));
        File.WriteAllText(Path.Combine(target, "nowhere"), "mine");
        await CopyAsync(Options);
        Assert.Equal(3, _failures.Count);
        Assert.All(_failures, failure => failure.ShouldBe(ErrorCatalogue.ItemExists));
        _failures.Clear();
        await CopyAsync(Options with { Force = true });
        Assert.Single(_failures).ShouldBe(sends ? ErrorCatalogue.GuestFileNotWritten : ErrorCatalogue.LocalFileNotWritten);
        Assert.Equal("a", new FileInfo(Path.Combine(target, "folder")).LinkTarget);
        Assert.Equal("mine", File.ReadAllText(Path.Combine(target, "nowhere")));
        await AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Links_are_followed_if_asked_to_but_in_no_circle(bool sends)
    {
        var (from, to) = sends ? (Local, Guest) : (Guest, Local);
        var source = Path.Combine(from, "tree");
        Make(Path.Combine(source, "file"), Bytes(10));
        Make(Path.Combine(from, "outside/inner/secret"), Bytes(300_000));
        Relink(Path.Combine(source, "to file"), "file");
        Relink(Path.Combine(source, "folder"), Path.Combine(from, "outside"));
        Relink(Path.Combine(from, "outside/inner/back"), "../../tree");
        Relink(Path.Combine(source, "circle"), ".");
        await CopyTreeAsync(sends, source, to, Options with { FollowLinks = true });
        var target = Path.Combine(to, "tree");
        AssertSame(Bytes(10), Path.Combine(target, "file"));
        AssertSame(Bytes(10), Path.Combine(target, "to file"));
        AssertSame(Bytes(300_000), Path.Combine(target, "folder/inner/secret"));
        Assert.Equal(5, EntriesThroughNoLink(target).Count);
        Assert.All(EntriesThroughNoLink(target), path => Assert.Null(new FileInfo(path).LinkTarget));
        Assert.Empty(_failures);
        await AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_link_that_an_earlier_copy_made_leads_no_later_one_elsewhere(bool sends)
    {
        var (from, to) = sends ? (Local, Guest) : (Guest, Local);
        var source = Path.Combine(from, "tree");
        Make(Path.Combine(source, "real/file"), Bytes(10));
        Relink(Path.Combine(source, "link"), "real");
        await CopyTreeAsync(sends, source, to, Options);
        File.Delete(Path.Combine(source, "link"));
        Make(Path.Combine(source, "link/other"), Bytes(20));
        await CopyTreeAsync(sends, source, to, Options with { Force = true });
        Assert.NotEmpty(_failures);
        Assert.Equal(["file"], Directory.GetFileSystemEntries(Path.Combine(to, "tree/real")).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Names_that_are_not_text_fail_alone_and_no_other_file_is_taken_for_them(bool sends)
    {
        var (from, to) = sends ? (Local, Guest) : (Guest, Local);
        var source = Path.Combine(from, "tree");
        Make(Path.Combine(source, "file"), Bytes(10));
        Make(Path.Combine(source, "b\uFFFDd"), Bytes(20));
        Assert.Equal(0, Run("/bin/sh", "-c", """
            cd "$0" && echo 1 >"$(printf 'b\377d')" && echo 2 >"$(printf 'b\376d')" && mkdir "$(printf 'f\377')" && echo 3 >"$(printf 'f\377/in')"
            """, source));
        await CopyTreeAsync(sends, source, to, Options);
        Assert.Equal(["file"], Directory.GetFileSystemEntries(Path.Combine(to, "tree")).Select(Path.GetFileName));
        Assert.Single(_copies);
        Assert.Equal(4, _failures.Count);
        Assert.All(_failures, failure => failure.ShouldBe(sends ? ErrorCatalogue.FileNotReadable : ErrorCatalogue.GuestNameUnsafe));

        // .NET cannot.
        Assert.Equal(0, Run("rm", "-rf", source));
        await AssertNothingLeftAsync();
    }

    private Task CopyTreeAsync(bool sends, string source, string to, ItemCopyOptions options) => sends
        ? SendAsync(source, to, options with { Recurse = true })
        : ReceiveAsync(source, to, options with { Recurse = true }, isLiteral: true);

    private static List<string> EntriesThroughNoLink(string folder) => [.. new DirectoryInfo(folder).EnumerateFileSystemInfos()
        .SelectMany(item => item is DirectoryInfo { LinkTarget: null } ? EntriesThroughNoLink(item.FullName).Prepend(item.FullName) : [item.FullName])];

    private static void Relink(string path, string target)
    {
        File.Delete(path);
        File.CreateSymbolicLink(path, target);
    }

    private static string MakeLinkedTree(string folder)
    {
        Make(Path.Combine(folder, "outside/secret"), Bytes(4));
        var tree = Path.Combine(folder, "tree");
        Make(Path.Combine(tree, "a/file"), Bytes(5));
        foreach (var (path, target) in KeptLinks.Concat(LeftLinks))
        {
            File.CreateSymbolicLink(Path.Combine(tree, path), target);
        }

        return tree;
    }
}
