using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Session;

namespace QemuGuestAgent.Core.Tests.Commands;

public sealed class AgentCommandsTests
{
    [Fact]
    public async Task The_commands_of_the_agent_come_by_name_with_what_the_schema_says()
    {
        using var dialogue = await Dialogue.StartAsync();
        var asking = dialogue.Session.GetCommandsAsync(cancellationToken: TestContext.Current.CancellationToken);
        await dialogue.Peer.AnswerAsync("guest-info", """
            {"version": "12.0", "supported_commands": [
            {"name": "guest-shutdown", "enabled": true, "success-response": false},
            {"name": "guest-file-open", "enabled": false},
            {"name": "guest-\u001b[31mnew", "enabled": true, "success-response": true}]}
            """);

        var commands = await asking.OrHang();

        Assert.Equal(["guest-\\u001B[31mnew", "guest-file-open", "guest-shutdown"], commands.Select(command => command.Name));
        Assert.Equal([true, false, true], commands.Select(command => command.Enabled));
        Assert.Equal([false, true, true], commands.Select(command => command.IsKnown));
        Assert.Equal([true, true, false], commands.Select(command => command.SuccessResponse));
        Assert.Equal([null, "0.15", "0.15"], commands.Select(command => command.Since));
        Assert.Equal(
            ["", "path,mode", "mode"], commands.Select(command => string.Join(",", command.Arguments.Select(a => a.Name))));
        Assert.Equal(["Invoke-QemuGuestAgentCommand", "Copy-QemuGuestItem", "Stop-QemuGuest"], commands.Select(command => command.Cmdlet));
        Assert.Equal([null, "int", null], commands.Select(command => command.Returns));
        Assert.Equal([true, false, false], commands.Select(command => command.Synopsis is null));
    }

    [Fact]
    public async Task It_asks_anew_each_time()
    {
        using var dialogue = await Dialogue.StartAsync();
        foreach (var enabled in (bool[])[true, false])
        {
            var asking = dialogue.Session.GetCommandsAsync(cancellationToken: TestContext.Current.CancellationToken);
            await dialogue.Peer.AnswerAsync("guest-info", $$"""
                {"version": "11.1.0", "supported_commands": [{"name": "guest-exec", "enabled": {{(enabled ? "true" : "false")}}}]}
                """);
            Assert.Equal(enabled, Assert.Single(await asking.OrHang()).Enabled);
        }
    }
}
