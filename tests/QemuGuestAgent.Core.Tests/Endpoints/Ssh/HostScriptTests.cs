using System.Diagnostics;
using QemuGuestAgent.Core.Endpoints.Ssh;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Endpoints.Ssh;

/// <summary>The scripts for hosts, by the shells that users of hosts may have.</summary>
public sealed class HostScriptTests : IDisposable
{
    private readonly LabFolder _folder = new();
    private readonly SocketGuests _guests = new();

    public static TheoryData<string> Scripts => [HostScripts.Relay, HostScripts.Virsh, HostScripts.Answer];

    public void Dispose()
    {
        _guests.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Scripts))]
    public void A_script_is_one_word_for_any_shell(string script)
    {
        Assert.DoesNotContain('\'', script);
        Assert.DoesNotContain('!', script);
        Assert.DoesNotContain('\n', script);
        Assert.DoesNotContain(@"\\", script);
    }

    [Theory]
    [InlineData("sh")]
    [InlineData("bash")]
    [InlineData("dash")]
    [InlineData("busybox sh")]
    [InlineData("zsh")]
    [InlineData("fish")]
    [InlineData("tcsh")]
    public async Task The_shell_of_the_user_starts_it(string shell)
    {
        var words = shell.Split(' ');
        var program = InstalledProgram.OrSkip(words[0]);
        var path = _guests.Listen(_folder.Combine("-a b 'c' \"d\" `e` $f !g \\h\n"));
        string[] paths = [HostScripts.Encode(path), HostScripts.EncodeForSocat(path)];
        var line = HostScripts.CommandLine(HostScripts.Relay, "qga-1", paths, usesSudo: false);
        var said = await RunAsync(program, [.. words.Skip(1), "-c", line]);
        Assert.StartsWith("\nqga-1 up ", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_who_may_not_use_the_socket_is_told_what_is_in_the_way()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Only root can act as another user.");
        Nobody.SetMode(_folder.FullPath, (UnixFileMode)0b111_101_101);
        Nobody.SetMode(Path.GetDirectoryName(_folder.FullPath)!, (UnixFileMode)0b111_101_101);
        var socket = _guests.Listen(_folder.Combine("a.sock"));
        Nobody.SetMode(socket, (UnixFileMode)0b110_000_000);
        Assert.StartsWith($"qga-1 denied nobody srw------- 1 root root ", await AskAsNobodyAsync(socket), StringComparison.Ordinal);

        var closed = Directory.CreateDirectory(_folder.Combine("closed")).FullName;
        Nobody.SetMode(closed, (UnixFileMode)0b111_000_000);
        Assert.Equal($"qga-1 closed {closed}", await AskAsNobodyAsync(Path.Combine(closed, "b", "c.sock")));
        Assert.Equal("qga-1 absent", await AskAsNobodyAsync(_folder.Combine("none/c.sock")));
        Assert.Equal("qga-1 nosocket", await AskAsNobodyAsync("/etc/passwd"));
    }

    private static async Task<string> AskAsNobodyAsync(string path)
    {
        using var process = Nobody.Start("exec /bin/sh -c \"$0\" qga-1 \"$1\"", HostScripts.Relay, HostScripts.Encode(path));
        var said = await process.StandardOutput.ReadToEndAsync(CancellationToken.None).OrHang();
        return said.Trim();
    }

    private static async Task<string> RunAsync(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var said = await process.StandardOutput.ReadToEndAsync(CancellationToken.None).OrHang();
        await process.WaitForExitAsync(CancellationToken.None).OrHang();
        return said;
    }
}
