using System.Text;
using QemuGuestAgent.EmbeddedAgent.Wire;

namespace QemuGuestAgent.Core.Tests.Embedded;

public sealed class MessageSplitterTests
{
    private const string Everything =
        "{\"execute\":\"guest-ping\",\"id\":'a\\'b'} \n{}{}12 -1.5e+3\u00FF" +
        "[\"\u00C3\u00A9\\ud83d\\ude00\\n\",true]\"x\tABC}\n{\"a\":01}null\n";

    [Fact]
    public void Messages_are_the_same_wherever_the_input_is_split()
    {
        var bytes = Encoding.Latin1.GetBytes(Everything);
        var whole = Split(bytes);
        Assert.Equal(12, whole.Count);
        for (var i = 1; i < bytes.Length; i++)
        {
            Assert.Equal(whole, Split(bytes[..i], bytes[i..]));
        }

        Assert.Equal(whole, Split(bytes.Select(b => new[] { b }).ToArray()));
    }

    [Fact]
    public void What_only_QEMU_accepts_becomes_plain_JSON() =>
        Assert.Equal(
            ["[\"it's \\\"x\\\"\",\"\\u0000\"]"], Split(Encoding.Latin1.GetBytes("['it\\'s \"x\"', \"\u00C0\u0080\"]")));

    [Fact]
    public void A_nesting_of_1024_is_the_deepest()
    {
        var deepest = new string('[', 1024) + new string(']', 1024);
        Assert.Equal([deepest], Split(Encoding.ASCII.GetBytes(deepest)));
        Assert.Equal(["JSON nesting depth limit exceeded"], Split(Encoding.ASCII.GetBytes(new string('[', 1025))));
    }

    [Fact]
    public void A_token_of_64_MiB_is_too_long()
    {
        var piece = new byte[1 << 20];
        Array.Fill(piece, (byte)'x');
        var pieces = Enumerable.Repeat(piece, 64).Prepend([(byte)'"']).ToArray();
        Assert.Equal(
            ["JSON token size limit exceeded", "JSON parse error, stray '\uFFFD'"], Split([.. pieces, [0xFF, (byte)'\n']]));
    }

    [Fact]
    public void A_message_of_64_MiB_is_too_long()
    {
        var half = new byte[33 << 20];
        Array.Fill(half, (byte)'x');
        byte[] quote = [(byte)'"'];
        Assert.Equal(
            ["JSON token size limit exceeded"],
            Split([(byte)'['], quote, half, quote, [(byte)','], quote, half, quote));
    }

    [Fact]
    public void A_message_of_two_million_tokens_is_too_long() =>
        Assert.Equal(
            ["JSON token count limit exceeded"],
            Split(Encoding.ASCII.GetBytes("[" + string.Concat(Enumerable.Repeat("0,", 1 << 20)))));

    private static List<string> Split(params byte[][] pieces)
    {
        var splitter = new MessageSplitter();
        var messages = new List<string>();
        foreach (var piece in pieces)
        {
            splitter.Append(piece);
            while (splitter.TryRead(out var message))
            {
                messages.Add(message.Error ?? Encoding.UTF8.GetString(message.Json!));
            }
        }

        return messages;
    }
}
