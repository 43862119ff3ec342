using QemuGuestAgent.Core.Schema;
using QemuGuestAgent.Core.Tests.Embedded;
using QemuGuestAgent.EmbeddedAgent.Commands;

namespace QemuGuestAgent.Core.Tests.Schema;

/// <summary>The table of all commands, and that what else knows of commands agrees with it.</summary>
public sealed class CommandSchemaTests
{
    public static TheoryData<string> CommandsThatNeedArguments =>
    [
        .. CommandSchema.All.Where(command => command.Arguments.Any(argument => !argument.IsOptional)).Select(command => command.Name),
    ];

    [Fact]
    public void It_has_the_44_commands_of_QEMU_11_1_each_once()
    {
        Assert.Equal(44, CommandSchema.All.Count);
        Assert.Equal(44, CommandSchema.All.Select(command => command.Name).Distinct().Count());
    }

    [Fact]
    public void Every_command_is_described() => Assert.All(CommandSchema.All, command =>
    {
        Assert.Matches("^guest-[a-z]+(-[a-z]+)*$", command.Name);
        Assert.Matches(@"^\d+\.\d+$", command.Since);
        Assert.Matches("^[A-Z][a-z]+-QemuGuest[A-Za-z]*$", command.Cmdlet);
        Assert.Matches(@"^[A-Z].*[^.]\.$", command.Synopsis);
        Assert.All(command.Arguments, argument => Assert.NotEmpty(argument.Type));
        Assert.Equal(
            command.Arguments.OrderBy(argument => argument.IsOptional).Select(argument => argument.Name),
            command.Arguments.Select(argument => argument.Name));
    });

    [Fact]
    public void A_command_is_found_by_its_very_name()
    {
        Assert.Equal("2.5", CommandSchema.Find("guest-exec")?.Since);
        Assert.Null(CommandSchema.Find("guest-Exec"));
        Assert.Null(CommandSchema.Find("guest-nonsense"));
    }

    [Fact]
    public void The_embedded_agent_has_them_all_and_no_others_and_treats_them_alike() => Assert.Equal(
        CommandSchema.All
            .Select(command => (command.Name, command.SuccessResponse, command.WorksWhileFrozen))
            .OrderBy(command => command.Name, StringComparer.Ordinal),
        CommandTable.All
            .Select(command => (command.Name, command.SuccessResponse, command.WorksWhileFrozen))
            .OrderBy(command => command.Name, StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(CommandsThatNeedArguments))]
    public async Task The_embedded_agent_misses_the_first_argument_that_is_needed(string name)
    {
        using var client = RawClient.ToNew();
        Assert.Equal(
            Texts.Error($"Parameter '{CommandSchema.Find(name)!.Arguments[0].Name}' is missing"),
            await client.AskAsync(Texts.Request(name, "")));
    }

    [Fact]
    public void An_argument_reads_with_its_type_in_brackets_where_it_may_be_left_out() => Assert.Equal(
        "path: string, [mode: string, as for C's fopen]",
        string.Join(", ", CommandSchema.Find("guest-file-open")!.Arguments));
}
