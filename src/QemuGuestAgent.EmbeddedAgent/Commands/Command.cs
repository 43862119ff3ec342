using System.Text.Json.Nodes;

namespace QemuGuestAgent.EmbeddedAgent.Commands;

/// <summary>Carries a command out and gives the value to return, or throws an <see cref="EmbeddedCommandException"/>.</summary>
internal delegate JsonNode? CommandHandler(AgentContext agent, CommandArguments arguments);

/// <summary>One command of the agent.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Handler">What it does.</param>
/// <param name="SuccessResponse">Whether success is answered.</param>
/// <param name="WorksWhileFrozen">Whether it works while the file systems are frozen.</param>
/// <param name="OnlyOn">The only system whose agent has it; since QEMU 9.1 others do not even list it. Null for all.</param>
internal sealed record Command(
    string Name, CommandHandler Handler, bool SuccessResponse = true, bool WorksWhileFrozen = false,
    EmbeddedGuestOS? OnlyOn = null);
