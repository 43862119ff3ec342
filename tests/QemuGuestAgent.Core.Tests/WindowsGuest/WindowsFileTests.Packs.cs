using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.WindowsGuest;

// Small files that go and come together.
public sealed partial class WindowsFileTests
{
    // Windows' comparison of words takes a soft hyphen for nothing.
    [Fact]
    public async Task Of_files_that_go_together_those_in_use_fail_alone_and_what_is_replaced_keeps_its_attributes()
    {
        string[] names = ["co-op/file", "co\u00ADop/file", "coop/file", "empty", "open"];
        foreach (var name in names)
        {
            Make($"tree/{name}", Bytes(name.Length * (name == "empty" ? 0 : 1)));
        }

        await SendAsync(Here("tree"), Folder, Options with { Recurse = true });
        Assert.Empty(_failures);
        Assert.All(names, name => AssertSame(Here($"tree/{name}"), There($"tree/{name}")));
        await RunAsync("attrib", "+r", $@"{Folder}\tree\coop\file");
        var attributes = await RunAsync("attrib", $@"{Folder}\tree\coop\file");
        _copies.Clear();

        await using (await OpenAsync($@"{Folder}\tree\open", "r+"))
        {
            Array.ForEach(names, name => Make($"tree/{name}", Bytes(100 + name.Length)));
            await SendAsync(Here("tree"), Folder, Options with { Recurse = true, Force = true });
            Assert.Single(_failures).ShouldBe(ErrorCatalogue.GuestFileInUse);
            Assert.Equal(names.Length - 1, _copies.Count);
            Assert.All(names[..^1], name => AssertSame(Here($"tree/{name}"), There($"tree/{name}")));
            Assert.Equal(attributes, await RunAsync("attrib", $@"{Folder}\tree\coop\file"));

            await ReceiveAsync($@"{Folder}\tree", Here("back"), Options with { Recurse = true });
            Assert.Equal(2, _failures.Count);
            _failures[1].ShouldBe(ErrorCatalogue.GuestFileInUse);
            Assert.All(names[..^1], name => AssertSame(Here($"tree/{name}"), Here($"back/{name}")));
        }

        Assert.Empty(_warnings);
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task What_a_dead_helper_left_of_files_is_removed_and_that_of_a_live_one_is_not()
    {
        async Task<string> MakeLeftAsync(string random, string beside)
        {
            var name = $".tree.{random}.partial";
            Assert.Equal("", (await AskAsync($"New-PrivateFolder '{Folder}\\{name}'")).Code);
            await File.WriteAllTextAsync(There($"{name}/part.0"), "half", TestEnd);
            await File.WriteAllTextAsync(There($"{name}/{beside}"), "", TestEnd);
            return There(name);
        }

        var dead = await MakeLeftAsync("0123456789abcdef", "part.5");
        var live = await MakeLeftAsync("fedcba9876543210", ".lock.0.partial");
        Make("tree/file", Bytes(10));
        await SendAsync(Here("tree"), Folder, Options with { Recurse = true });
        Assert.Empty(_failures);
        Assert.False(Directory.Exists(dead));
        Assert.Equal([".lock.0.partial", "part.0"], Directory.EnumerateFiles(live).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Directory.Delete(live, recursive: true);
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Files_that_nobody_waits_for_are_not_made()
    {
        const string empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        var answer = await AskAsync(
            $"Stop-Pack .a.partial; foreach ($folder in '.a.partial', '.b.partial') {{ Expand-Pack '{Folder}' $folder n '' '' \"file$folder\" 0 {empty} 1 }}");
        Assert.Equal(["0", "the time of its source"], answer.Fields);
        Assert.Equal(["file.b.partial"], Names(There("")).Select(Path.GetFileName));
    }

    [Fact]
    public async Task No_file_comes_through_a_link()
    {
        Directory.CreateDirectory(There("inner"));
        await File.WriteAllTextAsync(There("inner/file"), "secret", TestEnd);
        var answer = await AskAsync(
            $"function Get-LinkTarget($Path) {{ if ($Path -eq '{Folder}\\inner') {{ 'C:\\other' }} }}; Compress-Pack '{Folder}' 'inner\\file' 6");
        Assert.Equal(("", 2), (answer.Code, answer.Fields.Count));
        Assert.Equal("", answer.Fields[0]);
    }
}
