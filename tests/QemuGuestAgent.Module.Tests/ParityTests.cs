using System.Text.RegularExpressions;
using QemuGuestAgent.Core.Schema;

namespace QemuGuestAgent.Module.Tests;

/// <summary>The schema table is the one list of commands: what else names commands or is named by it agrees with it.</summary>
public sealed class ParityTests(ModuleMetadata module) : IClassFixture<ModuleMetadata>
{
    private const string Invoke = "Invoke-QemuGuestAgentCommand";

    private static readonly Dictionary<string, string> Sources = Directory
        .GetFiles(Path.Combine(Layout.RepositoryRoot, "src"), "*.cs", SearchOption.AllDirectories)
        .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
        .ToDictionary(path => path, File.ReadAllText);

    public static TheoryData<string> Commands => [.. CommandSchema.All.Select(command => command.Name)];

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_command_has_a_cmdlet_that_is_exported(string name) =>
        Assert.Contains(CommandSchema.Find(name)!.Cmdlet, Layout.ManifestList("CmdletsToExport"));

    [Fact]
    public void No_command_is_reached_by_its_name_only() =>
        Assert.DoesNotContain(CommandSchema.All, command => command.Cmdlet == Invoke);

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_command_is_sent_by_Core(string name)
    {
        var senders = Sources.Where(source => source.Key.Contains("QemuGuestAgent.Core", StringComparison.Ordinal)
            && Path.GetFileName(source.Key) != "CommandSchema.cs"
            && source.Value.Contains($"\"{name}\"", StringComparison.Ordinal));
        Assert.True(senders.Any(), $"Nothing in Core sends {name}.");
    }

    [Fact]
    public void Every_cmdlet_that_looks_or_changes_is_that_of_a_command()
    {
        string[] families = ["Devices", "Network", "Processors", "Storage", "System", "Users"];
        var files = Sources.Keys.Where(path => families.Contains(Path.GetFileName(Path.GetDirectoryName(path))))
            .Select(Path.GetFileNameWithoutExtension).ToHashSet();
        var cmdlets = module.Cmdlets.Where(cmdlet => files.Contains(cmdlet.Name)).ToList();
        Assert.NotEmpty(cmdlets);
        Assert.All(
            cmdlets, cmdlet => Assert.Contains(CommandSchema.All, command => command.Cmdlet == ModuleMetadata.NameOf(cmdlet)));
    }

    [Fact]
    public void No_command_is_named_that_the_schema_does_not_have() =>
        Assert.All(Sources, source => Assert.All(
            Regex.Matches(source.Value, "\"(guest-[a-z-]+[a-z])\"").Select(match => match.Groups[1].Value),
            name => Assert.True(CommandSchema.Find(name) is not null, $"{source.Key} names {name}.")));

    [Fact]
    public void No_list_of_commands_exists_a_second_time() => Assert.All(Sources, source => Assert.DoesNotMatch(
        """
        "(guest-[a-z-]+)"\s*,\s*"(?!\1")guest-[a-z-]+"
        """,
        source.Value));
}
