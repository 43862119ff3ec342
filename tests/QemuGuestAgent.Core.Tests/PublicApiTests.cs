using PublicApiGenerator;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.EmbeddedAgent;

namespace QemuGuestAgent.Core.Tests;

/// <summary>Changes of the public API show in the approved files, for their author and for reviewers.</summary>
public sealed class PublicApiTests
{
    [Theory]
    [InlineData(typeof(GuestAgentSession))]
    [InlineData(typeof(EmbeddedGuestAgent))]
    public void The_public_API_is_the_approved_one(Type type)
    {
        var name = type.Assembly.GetName().Name;
        var file = Path.Combine(Repository.Root, "tests", "QemuGuestAgent.Core.Tests", "PublicApi", $"{name}.approved.txt");
        var found = type.Assembly.GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false }).ReplaceLineEndings("\n");
        if (Repository.IsToBeUpdated)
        {
            File.WriteAllText(file, found);
        }

        var approved = File.Exists(file) ? File.ReadAllText(file).ReplaceLineEndings("\n") : "";
        var (before, now) = (InFull(approved), InFull(found));
        Assert.True(found == approved, $"""
            The public API of {name} is not the approved one.
            {string.Join('\n', before.Except(now).Select(line => $"- {line}").Concat(now.Except(before).Select(line => $"+ {line}")))}
            If this is meant: {Repository.UpdateVariable}=1 dotnet test tests/QemuGuestAgent.Core.Tests --filter PublicApiTests
            """);
    }

    // Each line with the namespace and the types that it is in.
    private static List<string> InFull(string api)
    {
        const int Indent = 4;
        var all = new List<string>();
        var path = new List<string>();
        foreach (var line in api.Split('\n'))
        {
            var text = line.TrimStart();
            if (text is not ("" or "{" or "}"))
            {
                path = [.. path.Take((line.Length - text.Length) / Indent), text];
                all.Add(string.Join(" / ", path));
            }
        }

        return all;
    }
}
