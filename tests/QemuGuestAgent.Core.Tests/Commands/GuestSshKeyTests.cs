using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Tests.Commands;

public sealed class GuestSshKeyTests
{
    private const string Blob = "AAAAC3NzaC1lZDI1NTE5AAAAID7RjvM4Bhf7EoONB73K3uMdnmKNYdhyZ7NpRdAO5hyl";

    // As ssh-keygen -l says.
    private const string Fingerprint = "SHA256:OVRR1xaKIIdW3Bh96EIf6uusSyLuapfKllsaa/F/GXE";

    [Theory]
    [InlineData("ssh-ed25519 " + Blob + " alice@host", "alice@host")]
    [InlineData("ssh-ed25519\t" + Blob, "")]
    [InlineData("ssh-ed25519 " + Blob + " Alice, her laptop", "Alice, her laptop")]
    [InlineData("from=\"192.0.2.0/24\",command=\"echo a b\" ssh-ed25519 " + Blob + " alice", "alice")]
    public void A_line_is_taken_apart(string line, string comment)
    {
        var key = new GuestSshKey("root", line);
        Assert.Equal(
            ("root", line, "ssh-ed25519", comment, Fingerprint), (key.UserName, key.Key, key.Type, key.Comment, key.Fingerprint));
        Assert.Equal(line, key.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("ssh-ed25519")]
    [InlineData(Blob)]
    [InlineData("ssh-ed25519 AAAA!")]
    [InlineData("-----BEGIN OPENSSH PRIVATE KEY-----")]
    public void What_is_no_key_has_only_its_text(string line)
    {
        var key = new GuestSshKey("root", line);
        Assert.Equal((line, null, null, null), (key.Key, key.Type, key.Comment, key.Fingerprint));
    }

    [Fact]
    public void A_file_has_keys_comments_and_blank_lines() => Assert.Equal(
        [$"ssh-ed25519 {Blob} a", $"ssh-ed25519 {Blob} b"],
        GuestSshKey.ReadLines($"# mine\r\n  ssh-ed25519 {Blob} a \r\n\r\nssh-ed25519 {Blob} b"));

    [Fact]
    public void A_private_key_is_refused_by_the_number_of_its_line_only()
    {
        var error = Assert.Throws<GuestAgentException>(() => GuestSshKey.ReadLines($"ssh-ed25519 {Blob}\nb3BlbnNzaC1rZXktdjE\n"));
        Assert.Equal(ErrorCatalogue.SshKeyInvalid.Id, error.ErrorId);
        Assert.Contains("Line 2 ", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("b3Blbn", error.ToString(), StringComparison.Ordinal);
    }
}
