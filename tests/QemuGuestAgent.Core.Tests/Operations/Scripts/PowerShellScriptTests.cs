using System.Text;
using System.Xml;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Operations.Scripts;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Operations.Scripts;

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
        var records = _script.Read("raw " + Line("End", "<Nil />")).ToList();
        Assert.Equal([new PowerShellRecord(null, "raw "), new PowerShellRecord("End", "<Nil />")], records);
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

    [Theory]
    [InlineData("<Obj RefId=\"0\"><LST><Ref RefId=\"0\" /></LST></Obj>", "refers to itself")]
    [InlineData("<Obj RefId=\"0\"><MS><Obj N=\"a\" RefId=\"1\"><LST><Obj><LST><Ref RefId=\"1\" /></LST></Obj></LST></Obj></MS></Obj>", "refers to itself")]
    [InlineData("<x:Obj xmlns:x=\"y\" RefId=\"0\"><x:Ref RefId=\"0\" /></x:Obj>", "refers to itself")]
    [InlineData("<Obj RefId=\"0\"><Obj RefId=\"0\" /></Obj>", "two objects")]
    [InlineData("<Obj><MS><S N=\"targettypeforDeserialization\">x</S></MS></Obj>", "type to be converted to")]
    [InlineData("<Obj><MS><S N=\"_x0054_argetTypeForDeserialization\">x</S></MS></Obj>", "type to be converted to")]
    public void A_record_that_would_harm_PowerShell_is_refused(string record, string reason)
    {
        var error = Assert.Throws<FormatException>(() => _script.Read(Line("Output", record)).ToList());
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_record_that_is_too_deep_is_refused_also_where_only_references_make_it_so()
    {
        var chain = string.Concat(Enumerable.Range(1, 100).Select(i => $"<Obj RefId=\"{i}\"><LST><Ref RefId=\"{i - 1}\" /></LST></Obj>"));
        foreach (var record in new[]
        {
            string.Concat(Enumerable.Repeat("<Obj>", 100_000)),
            $"<LST><Obj RefId=\"0\" />{chain}</LST>",
        })
        {
            var error = Assert.Throws<FormatException>(() => _script.Read(Line("Output", record)).ToList());
            Assert.Contains("deeper", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_record_that_is_small_but_grows_by_references_is_refused()
    {
        var doubling = string.Concat(Enumerable.Range(1, 25).Select(
            i => $"<Obj RefId=\"{i}\"><LST><Ref RefId=\"{i - 1}\" /><Ref RefId=\"{i - 1}\" /></LST></Obj>"));
        var error = Assert.Throws<FormatException>(
            () => _script.Read(Line("Output", $"<LST><Obj RefId=\"0\" />{doubling}</LST>")).ToList());
        Assert.Contains("10000000 values", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no XML")]
    [InlineData("<S>")]
    [InlineData("<!DOCTYPE x [<!ENTITY a \"b\">]><S>&a;</S>")]
    [InlineData("<S>&a;</S>")]
    public void What_is_no_XML_or_brings_entities_is_refused(string record) =>
        Assert.Throws<XmlException>(() => _script.Read(Line("Output", record)).ToList());

    [Fact]
    public void References_to_what_is_complete_are_fine()
    {
        const string Twice = "<LST><Obj RefId=\"0\"><S>a</S></Obj><Ref RefId=\"0\" /><Ref RefId=\"0\" /></LST>";
        Assert.Equal(Twice, Assert.Single(_script.Read(Line("Output", Twice))).Content);
    }

    [Fact]
    public void A_member_may_lead_back_as_from_a_drive_to_its_provider()
    {
        const string Drive = "<Obj RefId=\"0\"><Props><Obj N=\"Provider\" RefId=\"1\"><Props><Obj N=\"Drives\" RefId=\"2\"><LST><Ref RefId=\"0\" />"
            + "</LST></Obj></Props></Obj></Props></Obj>";
        Assert.Equal(Drive, Assert.Single(_script.Read(Line("Output", Drive))).Content);
    }

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
            .ShouldBe(ErrorCatalogue.ArgumentTextInvalid);

    private string Line(string kind, string content) =>
        $"{_script.Token} {kind} {Convert.ToBase64String(Encoding.UTF8.GetBytes(content))}";
}
