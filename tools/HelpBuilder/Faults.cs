namespace HelpBuilder;

/// <summary>What is missing or wrong, told in the form in which MSBuild knows an error.</summary>
internal sealed class Faults
{
    private readonly HashSet<string> _told = [];

    /// <summary>Whether there was any.</summary>
    public bool Any => _told.Count > 0;

    /// <summary>Tells of one, once: many cmdlets share the parameters of a base class.</summary>
    public void Add(string path, int line, string text)
    {
        if (_told.Add(path + text))
        {
            Console.Error.WriteLine($"{path}({line}): error HELP: {text}");
        }
    }
}
