namespace QemuGuestAgent.EmbeddedAgent;

/// <summary>Makes an embedded agent answer a command with an error.</summary>
/// <param name="description">The error's <c>desc</c>.</param>
/// <param name="errorClass">The error's <c>class</c>.</param>
public sealed class EmbeddedCommandException(string description, string errorClass = EmbeddedCommandException.GenericError)
    : Exception(description)
{
    internal const string GenericError = "GenericError";
    internal const string CommandNotFound = "CommandNotFound";

    /// <summary>The error's <c>class</c>.</summary>
    public string ErrorClass { get; } = errorClass;
}
