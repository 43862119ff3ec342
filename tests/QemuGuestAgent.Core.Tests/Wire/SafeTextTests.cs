using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Tests.Wire;

public sealed class SafeTextTests
{
    [Theory]
    [InlineData("plain text, ünïcode 漢字 😀", "plain text, ünïcode 漢字 😀")]
    [InlineData("\u001b[31mred\u0007", "\\u001B[31mred\\u0007")]
    [InlineData("a\r\nb\tc", "a\\u000D\\u000Ab\\u0009c")]
    [InlineData("\u202Eevil", "\\u202Eevil")]
    [InlineData("\u2028line", "\\u2028line")]
    public void Escape_leaves_no_character_that_acts_on_a_terminal(string text, string expected) =>
        Assert.Equal(expected, SafeText.Escape(text));

    // Not a theory's row: metadata is UTF-8 and holds no half surrogate.
    [Fact]
    public void Escape_writes_half_a_surrogate_pair_out() => Assert.Equal("half \\uD83D.", SafeText.Escape("half \uD83D."));

    [Fact]
    public void Escape_bounds_the_length() => Assert.Equal("aaa…", SafeText.Escape("aaaaa", 3));
}
