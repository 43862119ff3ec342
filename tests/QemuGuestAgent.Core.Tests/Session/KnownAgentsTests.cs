using System.Buffers;
using System.Text;
using QemuGuestAgent.Core.Schema;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Tests.Wire;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>What agents say of themselves is kept once for all that say the same.</summary>
public sealed class KnownAgentsTests
{
    private readonly KnownAgents _agents = new();

    [Fact]
    public void Those_that_say_the_same_share_it_also_in_other_pieces()
    {
        var known = Read("9.1", "true");
        Assert.Same(known, Read("9.1", "true"));
        Assert.Same(known, Read("9.1", "true", pieces: 7));
    }

    [Fact]
    public void One_that_says_something_else_of_the_same_length_is_read_itself()
    {
        Read("9.1", "true ");
        var other = Read("9.1", "false");
        Assert.False(other.Commands["guest-ping"].Enabled);
        Assert.True(Read("9.1", "true ").Commands["guest-ping"].Enabled);
    }

    [Fact]
    public void Few_are_kept_and_none_that_is_long()
    {
        var first = Read("1", "true");
        for (var i = 2; i < 20; i++)
        {
            Read($"{i}", "true");
        }

        var again = Read("1", "true");
        Assert.NotSame(first, again);
        var text = new string('x', 64 << 10);
        Assert.NotSame(Read(text, "true"), Read(text, "true"));
        Assert.Same(again, Read("1", "true"));
    }

    [Fact]
    public void Nobody_can_change_it_for_the_others() =>
        Assert.Throws<NotSupportedException>(() => ((IDictionary<string, GuestAgentCommandInfo>)Read("9.1", "true").Commands).Clear());

    private GuestAgentInfo Read(string version, string isEnabled, int pieces = 1)
    {
        var line = Encoding.ASCII.GetBytes(
            $$$"""{"return": {"version": "{{{version}}}", "supported_commands": [{"name": "guest-ping", "enabled": {{{isEnabled}}}}]}}""");
        var sequence = pieces == 1 ? new ReadOnlySequence<byte>(line) : Bytes.InSegments(line, pieces);
        return _agents.Read(Reply.Parse(sequence, maxDepth: 100, maxValues: 1000));
    }
}
