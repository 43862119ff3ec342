using System.Runtime.Versioning;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

/// <summary>A guest where a file cannot be written in place to its end: its cat does not go so far.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class PutBackTests : RealGuestTests
{
    private const string Torn = "torn";

    private readonly LabFolder _tools = new();

    private string Source => Agent.GuestPath("source");

    private string Target => Agent.GuestPath("target");

    private protected override RealAgentBinary Binary() => RealAgentBinary.Installed() with { Tools = _tools.FullPath };

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        File.WriteAllText(Source, "new");
        File.WriteAllText(Target, "old");
        Assert.Equal(0, CopyTests.Run("ln", Target, Target + ".other"));
    }

    [Fact]
    public async Task What_cannot_be_put_back_is_kept_and_the_error_says_where()
    {
        MakeCat("exit 1");
        var failures = new List<GuestAgentException>();
        await SendAsync(failures.Add, TestEnd);
        var failure = Assert.Single(failures).ShouldBe(ErrorCatalogue.GuestFileNotWritten);
        var folder = Assert.Single(Folders());
        Assert.Equal(["saved"], Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName));
        Assert.Equal("old", File.ReadAllText(Path.Combine(folder, "saved")));
        Assert.Contains($"what was in it is in {folder}/saved now.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_copy_that_is_cancelled_while_it_writes_puts_back_what_was_there()
    {
        MakeCat($"""case $* in *saved*) exec /bin/cat "$@" ;; esac; printf {Torn}; exec sleep 600""");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestEnd);
        var copying = SendAsync(e => Assert.Fail(e.Message), stop.Token);
        await ReadsAsync(Torn).OrHang();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => copying);
        Assert.Equal("old", File.ReadAllText(Target));
        Assert.Equal("old", File.ReadAllText(Target + ".other"));
        Assert.Empty(Folders());
    }

    [Fact]
    public async Task Without_its_client_the_guest_puts_back_what_was_there()
    {
        var goOn = Agent.GuestPath("go-on");
        MakeCat($"""case $* in *saved*) exec /bin/cat "$@" ;; esac; printf {Torn}; while [ ! -e "{goOn}" ]; do sleep 0.05; done; exit 1""");
        var copying = SendAsync(_ => { }, TestEnd);
        await ReadsAsync(Torn).OrHang();
        Session.Dispose();
        Assert.NotNull(await Record.ExceptionAsync(() => copying));
        File.WriteAllText(goOn, "");
        await ReadsAsync("old").OrHang();
    }

    private void MakeCat(string script)
    {
        var cat = Path.Combine(_tools.FullPath, "cat");
        File.WriteAllText(cat, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(cat, (UnixFileMode)Convert.ToInt32("755", 8));
    }

    private Task SendAsync(Action<GuestAgentException> failed, CancellationToken cancellationToken) => GuestItems.SendAsync(
        Session, [Source], Target, new ItemCopyOptions { Force = true, Failed = failed }, null, cancellationToken).OrHang();

    private async Task ReadsAsync(string content)
    {
        while (File.ReadAllText(Target) != content)
        {
            await Task.Delay(10, TestEnd);
        }
    }

    private IEnumerable<string> Folders() => Directory.EnumerateDirectories(Path.GetDirectoryName(Target)!, ".target.*");
}
