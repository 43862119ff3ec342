using System.Text;

namespace QemuGuestAgent.Core.Tests.Embedded;

/// <summary>Lines as the real agent writes them.</summary>
internal static class Texts
{
    public const string Ping = "{\"execute\":\"guest-ping\"}";
    public const string Pong = "{\"return\": {}}";
    public const string Stray = "{\"error\": {\"class\": \"GenericError\", \"desc\": \"JSON parse error, stray '\\uFFFD'\"}}";

    public static string Error(string description) => Error("GenericError", description);

    public static string Error(string errorClass, string description) =>
        $"{{\"error\": {{\"class\": \"{errorClass}\", \"desc\": \"{description}\"}}}}";

    public static string Request(string command, string arguments = "") =>
        $"{{\"execute\":\"{command}\",\"arguments\":{{{arguments}}}}}";

    public static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
