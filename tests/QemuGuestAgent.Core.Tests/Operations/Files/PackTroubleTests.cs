using System.Runtime.Versioning;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

/// <summary>Small files together, in a guest whose tar is broken, or lies: then they are copied one by one.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class PackTroubleTests : RealGuestTests
{
    private const int Files = 12;

    private readonly string _tools = new LabFolder().FullPath;
    private readonly List<ItemCopy> _copies = [];
    private readonly List<string> _failures = [];

    private string Here => Agent.GuestPath("here");

    private string There => Agent.GuestPath("there");

    private ItemCopyOptions Options => new()
    {
        Recurse = true,
        Copied = copy =>
        {
            _copies.Add(copy);
            return Task.CompletedTask;
        },
        Failed = error => _failures.Add(error.Message),
    };

    private protected override RealAgentBinary Binary() => RealAgentBinary.Installed() with { Tools = _tools };

    [Theory]
    [InlineData("exit 1")]
    [InlineData("cat >/dev/null")]
    [InlineData("/usr/bin/tar \"$@\"; echo wrong >x/0/3")]
    [InlineData("/usr/bin/tar \"$@\"; rm x/0/3")]
    public async Task What_does_not_arrive_whole_is_sent_one_by_one(string tar)
    {
        MakeTar(tar);
        MakeTree(Here);
        await GuestItems.SendAsync(Session, [Here], There, Options, null, TestEnd).OrHang();
        AssertCopied();
    }

    [Theory]
    [InlineData("exit 1")]
    [InlineData("echo nothing")]
    [InlineData("head -c 100000 /dev/urandom")]
    [InlineData("head -c 17000000 /dev/zero")]
    [InlineData("echo more >>3; /usr/bin/tar \"$@\"; exec truncate -s -5 3")]
    [InlineData("/usr/bin/tar \"$@\"; exit 1")]
    [InlineData("/usr/bin/tar -C / -cf - etc/passwd")]
    [InlineData("/usr/bin/tar \"$@\" --transform s/3/../")]
    [InlineData("/usr/bin/tar \"$@\" | head -c 3000")]
    public async Task What_does_not_come_as_it_was_listed_comes_one_by_one(string tar)
    {
        MakeTar(tar);
        MakeTree(There);
        await GuestItems.ReceiveAsync(Session, [There], true, Here, Options, null, TestEnd).OrHang();
        AssertCopied();
    }

    [Fact]
    public async Task Giving_up_in_the_middle_leaves_nothing()
    {
        MakeTar("echo >\"$0.began\"; exec sleep 1000");
        MakeTree(Here);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestEnd);
        var sending = GuestItems.SendAsync(Session, [Here], There, Options, null, stop.Token);
        await Poll.UntilAsync(() => File.Exists(Path.Combine(_tools, "tar.began")), "tar");
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending).OrHang();
        Assert.Empty(_copies);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(There)!, ".*.partial"));
    }

    [Fact]
    public async Task A_full_disk_is_an_error_of_each_file_that_is_not_there()
    {
        Directory.CreateDirectory(There);
        Assert.SkipUnless(
            CopyTests.Run("mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", There) == 0, "This process may not mount a file system.");
        try
        {
            MakeTree(Here);
            await GuestItems.SendAsync(Session, [Here], There, Options, null, TestEnd).OrHang();
            Assert.Equal(Files, _copies.Count + _failures.Count);
            Assert.NotEmpty(_failures);
            Assert.Equal(_copies.Count, Directory.GetFiles(There, "*", SearchOption.AllDirectories).Length);
            Assert.All(_copies, copy => Assert.Equal(File.ReadAllBytes(copy.Source), File.ReadAllBytes(copy.Destination)));
        }
        finally
        {
            Assert.Equal(0, CopyTests.Run("umount", There));
        }
    }

    [Theory]
    [InlineData("exit 1")]
    [InlineData("echo nonsense")]
    public async Task A_large_file_is_verified_too_where_openssl_is_of_no_use(string openssl)
    {
        var called = Path.Combine(_tools, "called");
        MakeTool("openssl", $"echo >'{called}'\n{openssl}");
        File.WriteAllBytes(There, new byte[5 << 20]);
        await GuestItems.ReceiveAsync(Session, [There], true, Here, Options, null, TestEnd).OrHang();
        Assert.Empty(_failures);
        Assert.Equal(CopyVerification.Sha256, Assert.Single(_copies).Verified);
        Assert.True(File.Exists(called));
    }

    private void MakeTar(string script) => MakeTool("tar", $"[ \"$1\" = --version ] && {{ echo GNU; exit; }}\n{script}");

    private void MakeTool(string name, string script)
    {
        var tool = Path.Combine(_tools, name);
        File.WriteAllText(tool, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(tool, (UnixFileMode)Convert.ToInt32("755", 8));
    }

    private static void MakeTree(string root)
    {
        Directory.CreateDirectory(root);
        for (var i = 0; i < Files; i++)
        {
            File.WriteAllText(Path.Combine(root, $"{i}"), new string((char)('a' + i), 1000 + i));
        }
    }

    private void AssertCopied()
    {
        Assert.Empty(_failures);
        Assert.Equal(Files, _copies.Count);
        foreach (var path in Directory.GetFiles(There))
        {
            Assert.Equal(File.ReadAllText(path), File.ReadAllText(Path.Combine(Here, Path.GetFileName(path))));
        }

        Assert.Equal(Files, Directory.GetFiles(Here).Length);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(There)!, ".*.partial"));
    }
}
