using System.Globalization;

namespace QemuGuestAgent.Core.Errors;

/// <summary>An error of the catalogue. Every failure of this library is one of these, or an <see cref="OperationCanceledException"/>.</summary>
public sealed class GuestAgentException : Exception
{
    private string? _agentErrorClass;

    internal GuestAgentException(ErrorDefinition definition, object? target, Exception? inner, params object?[] arguments)
        : base(Format(definition.Text, arguments), IsHarmless(inner) ? inner : null)
    {
        ErrorId = definition.Id;
        Category = definition.Category;
        Target = target is string text ? SafeText.Escape(text) : target;
        RecommendedAction = Format(definition.RecommendedAction, arguments);
    }

    /// <summary>The stable id, one of <see cref="ErrorCatalogue.All"/>.</summary>
    public string ErrorId { get; }

    /// <summary>The kind of error.</summary>
    public GuestAgentErrorCategory Category { get; }

    /// <summary>What the error is about: an endpoint, a session's name, a command, an argument.</summary>
    public object? Target { get; internal set; }

    /// <summary>The recommended action.</summary>
    public string RecommendedAction { get; }

    /// <summary>The class of an error reply of the agent (<c>GenericError</c>, <c>CommandNotFound</c>, …), otherwise null.</summary>
    public string? AgentErrorClass
    {
        get => _agentErrorClass;
        internal set => _agentErrorClass = value is null ? null : SafeText.Escape(value);
    }

    /// <summary>Adds what a program had written until then, as StandardOutput and StandardError of <see cref="Exception.Data"/>.</summary>
    internal GuestAgentException WithOutput(string output, string errors)
    {
        Data["StandardOutput"] = output;
        Data["StandardError"] = errors;
        return this;
    }

    /// <summary>Whether it is the given error of the catalogue.</summary>
    public bool Is(ErrorDefinition definition) => ErrorId == definition.Id;

    // The agent's own message, unescaped, for a more specific error.
    internal string? AgentErrorText { get; set; }

    // Anything in a text may come from the guest: it never reaches a terminal unescaped.
    private static string Format(string text, object?[] arguments)
    {
        var said = string.Format(CultureInfo.InvariantCulture, text, Array.ConvertAll(arguments, a =>
            (object)SafeText.Escape(Convert.ToString(Shorten(a), CultureInfo.InvariantCulture) ?? "")));

        // Windows's own messages already end with a full stop.
        return said.EndsWith("..", StringComparison.Ordinal) ? said.Substring(0, said.Length - 1) : said;
    }

    // Exceptions of other libraries may quote the guest unescaped, and are shown with this one, so they are left out. The text includes their message.
    private static bool IsHarmless(Exception? inner) =>
        inner is null or GuestAgentException || (IsHarmlessText(inner.Message) && IsHarmless(inner.InnerException));

    private static bool IsHarmlessText(string text) =>
        text.Split('\r', '\n').All(line => SafeText.Escape(line, int.MaxValue) == line);

    // The remaining seconds of a longer operation are rounded.
    private static object? Shorten(object? argument) => argument is double seconds ? Math.Round(seconds, 3) : argument;
}
