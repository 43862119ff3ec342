using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Terminals;

namespace QemuGuestAgent.Core.Tests.Operations.Terminals;

public sealed class EscapeCharacterTests
{
    [Theory]
    [InlineData("^]", 0x1D, "Ctrl+]")]
    [InlineData("^a", 1, "Ctrl+A")]
    [InlineData("^A", 1, "Ctrl+A")]
    [InlineData("^^", 0x1E, "Ctrl+^")]
    [InlineData("^@", 0, "Ctrl+@")]
    [InlineData("~", 0x7E, "~")]
    [InlineData("^", 0x5E, "^")]
    public void It_is_written_as_it_is_typed(string text, int code, string shown)
    {
        var escape = EscapeCharacter.Parse(text);
        Assert.Equal((byte)code, escape.Code);
        Assert.Equal(shown, $"{escape}");
    }

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    public void There_may_be_none(string text)
    {
        var escape = EscapeCharacter.Parse(text);
        Assert.Null(escape.Code);
        Assert.Equal(2, escape.CountBefore([0x1D, 0x1D]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("^1")]
    [InlineData("ab")]
    [InlineData("^]x")]
    [InlineData("é")]
    public void What_is_no_key_is_refused(string text) =>
        Assert.Equal(nameof(ErrorCatalogue.EscapeCharacterInvalid), Assert.Throws<GuestAgentException>(() => EscapeCharacter.Parse(text)).ErrorId);

    [Theory]
    [InlineData("", 0)]
    [InlineData("abc", 3)]
    [InlineData("\u001D", 0)]
    [InlineData("ab\u001Dcd\u001D", 2)]
    [InlineData("ü漢😀", 9)]
    public void What_comes_before_it_is_sent(string typed, int count) =>
        Assert.Equal(count, EscapeCharacter.Parse("^]").CountBefore(System.Text.Encoding.UTF8.GetBytes(typed)));
}
