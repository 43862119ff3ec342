using System.Diagnostics;
using System.Text;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Guests.Windows;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Guests.Windows;

/// <summary>
/// What runs a program of a Windows guest in a folder, run by this machine's PowerShell: .NET takes a command line apart by the
/// rules of Windows everywhere.
/// </summary>
public sealed class LauncherScriptTests
{
    private const string Token = "the-token";

    [Fact]
    public async Task It_runs_in_the_folder_with_its_input_and_gives_its_exit_code()
    {
        var program = new GuestProcessStart("sh")
        {
            Arguments = ["-c", "pwd; echo $ADDED ${GONE-none}; cat; echo error >&2; exit 7"],
            Input = [0, 255, 10, 13],
            WorkingDirectory = "/usr/bin",
            Environment = new Dictionary<string, string?> { ["ADDED"] = "a=b ü", ["GONE"] = null },
        };
        var (code, output, errors) = await RunAsync(program);
        Assert.Equal((7, "/usr/bin\na=b Ã¼ none\n\0ÿ\n\r", "error\n"), (code, output, errors));
    }

    [Fact]
    public async Task No_character_of_an_argument_is_read_by_anything()
    {
        string[] arguments = ["", " ", "\"", "\\", "\\\\\"", "a\\\"b", "C:\\Program Files\\", "%PATH%", "$(x) `'&|<>^;", "ü", "a\nb", "*"];
        var (_, output, _) = await RunAsync(new GuestProcessStart("printf") { Arguments = ["%s\\0", .. arguments] });
        Assert.Equal(string.Concat(arguments.Select(argument => argument + "\0")), Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(output)));
    }

    [Theory]
    [InlineData("/no/such/program", "/")]
    [InlineData("true", "/no/such/folder")]
    public async Task What_cannot_be_started_ends_with_the_token(string path, string folder)
    {
        var (code, _, errors) = await RunAsync(new GuestProcessStart(path) { WorkingDirectory = folder });
        Assert.Equal(1, code);
        Assert.Matches(@"No such .*the-token$", errors);
    }

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(GuestProcessStart program)
    {
        var execution = WindowsScripts.Launcher(Token, WindowsProgram.Of(program), program.Input);
        var start = new ProcessStartInfo("pwsh", execution.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.Latin1,
            StandardErrorEncoding = Encoding.Latin1,
        };
        start.Environment["GONE"] = "here";
        start.Environment["POWERSHELL_TELEMETRY_OPTOUT"] = "1";
        Process? process;
        try
        {
            process = Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("there is no pwsh on PATH");
            throw;
        }

        using (process!)
        {
            var output = process!.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            await process.StandardInput.BaseStream.WriteAsync(execution.Input);
            process.StandardInput.Close();
            await process.WaitForExitAsync().OrHang();
            return (process.ExitCode, await output, await errors);
        }
    }
}
