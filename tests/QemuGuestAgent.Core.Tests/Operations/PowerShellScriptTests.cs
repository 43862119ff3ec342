using System.Text;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Operations;

/// <summary>Scripts, as far as no interpreter is needed.</summary>
public sealed class PowerShellScriptTests
{
    private readonly PowerShellScript _script = new();

    [Fact]
    public void A_record_is_read_from_its_line()
    {
        var record = Assert.Single(_script.Read(Line("Output", "<S>ü</S>")));
        Assert.Equal(("Output", "<S>ü</S>"), (record.Kind, record.Content));
    }

    [Fact]
    public void What_stands_before_a_record_is_text()
    {
        var records = _script.Read("raw " + Line("End", "")).ToList();
        Assert.Equal([new PowerShellRecord(null, "raw "), new PowerShellRecord("End", "")], records);
        Assert.Equal([new PowerShellRecord(null, "only raw")], _script.Read("only raw"));
    }

    [Fact]
    public void A_record_of_another_script_is_text()
    {
        var line = new PowerShellScript().Token + " Output PA==";
        Assert.Equal([new PowerShellRecord(null, line)], _script.Read(line));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" Output")]
    [InlineData(" Output PA")]
    [InlineData(" Output PA== more")]
    public void A_record_that_is_cut_off_is_refused(string rest) =>
        Assert.Throws<FormatException>(() => _script.Read(_script.Token + rest).ToList());

    [Fact]
    public void No_script_argument_or_input_is_in_the_arguments_of_a_program()
    {
        foreach (var interpreter in new[] { GuestInterpreter.Sh, GuestInterpreter.Bash, GuestInterpreter.Python })
        {
            var start = GuestScript.Prepare(interpreter, "echo SECRET1", ["SECRET2"], Encoding.ASCII.GetBytes("SECRET3"));
            Assert.DoesNotContain(start.Arguments, argument => argument.Contains("SECRET", StringComparison.Ordinal));
            Assert.Contains("SECRET3", Encoding.UTF8.GetString(start.Input!), StringComparison.Ordinal);
        }

        var powerShell = PowerShellScript.Prepare(GuestInterpreter.PowerShell, "SECRET");
        Assert.Equal("SECRET", Encoding.UTF8.GetString(Convert.FromBase64String(Encoding.ASCII.GetString(powerShell.Input!))));
        Assert.Equal(powerShell.Arguments, PowerShellScript.Prepare(GuestInterpreter.PowerShell, "OTHER").Arguments);
    }

    [Theory]
    [InlineData("a\0b", "")]
    [InlineData("a", "b\0")]
    public void A_zero_is_refused(string script, string argument) =>
        Assert.Throws<GuestAgentException>(() => GuestScript.Prepare(GuestInterpreter.Sh, script, [argument], null))
            .Is(ErrorCatalogue.ArgumentTextInvalid);

    private string Line(string kind, string content) =>
        $"{_script.Token} {kind} {Convert.ToBase64String(Encoding.UTF8.GetBytes(content))}";
}
