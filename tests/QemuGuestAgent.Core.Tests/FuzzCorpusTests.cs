using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Fuzz;

namespace QemuGuestAgent.Core.Tests;

/// <summary>What coverage-guided fuzzing has found worth keeping, run again.</summary>
public sealed class FuzzCorpusTests
{
    [Theory]
    [InlineData("wire")]
    [InlineData("session")]
    [InlineData("agent")]
    public async Task The_corpus_does_no_harm(string target)
    {
        var lines = await File.ReadAllLinesAsync(
            Path.Combine(Repository.Root, "tests", "QemuGuestAgent.Fuzz", "Corpus", $"{target}.txt"), TestContext.Current.CancellationToken);
        Assert.NotEmpty(lines);
        foreach (var line in lines)
        {
            try
            {
                await Task.Run(() => FuzzTargets.All[target](Convert.FromBase64String(line)), TestContext.Current.CancellationToken).OrHang();
            }
            catch (Exception e)
            {
                Assert.Fail($"{line}: {e}");
            }
        }
    }
}
