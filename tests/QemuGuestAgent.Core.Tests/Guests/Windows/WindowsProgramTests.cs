using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Guests.Windows;

namespace QemuGuestAgent.Core.Tests.Guests.Windows;

/// <summary>The line by which a program of Windows is started.</summary>
public sealed class WindowsProgramTests
{
    [Theory]
    [InlineData("ipconfig", "ipconfig|\"/all\" \"\" \"a b\\\\\" \"\\\"\"", "/all", "", "a b\\", "\"")]
    [InlineData("cmd.exe", "cmd.exe|/d /s /c \"echo \"a  b\" %X%\"", "/d", "/c", "echo \"a  b\" %X%")]
    [InlineData("C:\\Windows\\System32\\CMD.EXE", "C:\\Windows\\System32\\CMD.EXE|/s /C \"echo \"a b\" c\"", "/C", "echo", "a b", "c")]
    [InlineData("cmd", "cmd|/s /c \"\"C:\\a b\\c.exe\" x\"", "/c", "C:\\a b\\c.exe", "x")]
    [InlineData("cmd", "cmd|/?", "/?")]
    [InlineData("a.bat", "cmd.exe|/e:on /v:off /d /s /c \"\"a.bat\"\"")]
    [InlineData("C:\\a b.CMD", "cmd.exe|/e:on /v:off /d /s /c \"\"C:\\a b.CMD\" \"x&y\" \"\" \"a\"\"b\" \"%%cd:~,%PATH%%cd:~,%\" \"c\\\\\"\"", "x&y", "", "a\"b", "%PATH%", "c\\")]
    public void Each_kind_reads_its_line_in_its_own_way(string path, string expected, params string[] arguments)
    {
        var program = WindowsProgram.Of(new GuestProcessStart(path) { Arguments = arguments });
        Assert.Equal(expected, string.Join("|", program.Take(2)));
    }

    [Theory]
    [InlineData("a\nb")]
    [InlineData("a\rb")]
    public void A_batch_file_cannot_be_given_a_line_break(string argument)
    {
        var error = Assert.Throws<GuestAgentException>(() => WindowsProgram.Of(new GuestProcessStart("a.cmd") { Arguments = [argument] }));
        Assert.True(error.Is(ErrorCatalogue.BatchArgumentInvalid));
    }

    [Theory]
    [InlineData(false, "ipconfig", "/all", "a b", "\"")]
    [InlineData(true, "ipconfig", "")]
    [InlineData(false, "cmd", "/c", "echo a b")]
    [InlineData(true, "cmd", "/c", "echo \"a\"")]
    [InlineData(false, "a.cmd")]
    [InlineData(true, "a.cmd", "x")]
    public void A_script_starts_what_the_agent_cannot(bool expected, string path, params string[] arguments) =>
        Assert.Equal(expected, WindowsProgram.NeedsScript(new GuestProcessStart(path) { Arguments = arguments }));
}
