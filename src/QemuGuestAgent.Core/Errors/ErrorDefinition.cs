namespace QemuGuestAgent.Core.Errors;

/// <summary>One row of the error catalogue.</summary>
/// <param name="Id">The stable id, which scripts can test for.</param>
/// <param name="Category">The kind of error.</param>
/// <param name="Text">What happened, as a composite format string.</param>
/// <param name="RecommendedAction">What to do, with the same format items.</param>
public sealed record ErrorDefinition(string Id, GuestAgentErrorCategory Category, string Text, string RecommendedAction);
