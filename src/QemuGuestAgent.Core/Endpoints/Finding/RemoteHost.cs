using System.Globalization;
using System.Text;

namespace QemuGuestAgent.Core.Endpoints.Finding;

/// <summary>
/// A host that ssh reaches, as far as its answers are here. What is asked for and not here counts as not there, and is fetched: then
/// everything is looked at again.
/// </summary>
/// <param name="answers">The answers.</param>
/// <param name="tell">Receives messages about what could not be read.</param>
internal sealed class RemoteHost(HostAnswers answers, Action<string> tell) : Host(tell)
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> List(string folder) =>
        [.. (Text('l', folder) ?? "").Split(['\0'], StringSplitOptions.RemoveEmptyEntries).Where(name => name is not ("." or ".." or "*"))];

    /// <inheritdoc/>
    public override string? Read(string path) => Text('r', path);

    // The target of a link that may not be read is empty.
    /// <inheritdoc/>
    public override string? ReadLink(string path) => Text('k', path) is { Length: > 0 } target ? target : null;

    /// <inheritdoc/>
    public override string RealPathOf(string path) => Text('p', path) is { Length: > 0 } real ? real : path;

    /// <inheritdoc/>
    public override FileStatus? StatusOf(string path) => (answers['s', path] ?? "").Split(' ') is [var mode, var owner, var links]
        && int.TryParse(mode, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var bits)
        && uint.TryParse(owner, NumberStyles.None, CultureInfo.InvariantCulture, out var user)
        && uint.TryParse(links, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
        ? new FileStatus(bits, user, count)
        : null;

    /// <inheritdoc/>
    public override IEnumerable<int> Processes() => (answers['q', "/proc"] ?? "").Split('\n')
        .Select(path => int.TryParse(path.Split('/').ElementAtOrDefault(2), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
        .Where(id => id > 0);

    /// <inheritdoc/>
    public override IReadOnlyList<string>? DescribeDomains(string uri, bool readOnly)
    {
        const string end = "\n</domain>";
        return Text('d', uri) is { } all
            ? [.. all.Split([end], StringSplitOptions.None).Select(domain => domain.Trim()).Where(domain => domain.Length > 0).Select(domain => domain + end)]
            : null;
    }

    private string? Text(char question, string path)
    {
        try
        {
            return answers[question, path] is { } encoded ? Encoding.UTF8.GetString(Convert.FromBase64String(encoded)) : null;
        }
        catch (FormatException)
        {
            Tell($"The host's answer about '{path}' could not be read.");
            return null;
        }
    }
}
