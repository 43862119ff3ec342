namespace QemuGuestAgent.EmbeddedAgent.Wire;

/// <summary>What the splitter found: a whole, valid JSON value, or an error that the agent answers by itself.</summary>
internal readonly record struct ParsedMessage(byte[]? Json, string? Error);
