using System.Collections;

namespace QemuGuestAgent.Completion;

/// <summary>Completes a host with the aliases of the user's ssh configuration.</summary>
public sealed class SshHostCompleter : NameCompleter
{
    private protected override IEnumerable<(string Name, string Tip)> Offers(IDictionary bound) => Lines()
        .Select(line => line.Split([' ', '\t', '='], StringSplitOptions.RemoveEmptyEntries))
        .Where(words => words.Length > 1 && words[0].Equals("Host", StringComparison.OrdinalIgnoreCase))
        .SelectMany(words => words.Skip(1))
        .Where(name => name.IndexOfAny(['*', '?', '!']) < 0)
        .Select(name => (name, "ssh configuration"));

    private static string[] Lines()
    {
        try
        {
            return File.ReadAllLines(Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".ssh", "config"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // There is none, or it is another user's.
            return [];
        }
    }
}
