using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Runtime.Loader;
using System.Text;

namespace HelpBuilder;

/// <summary>The values that parameters have by default: those of a new cmdlet. PowerShell's own assembly is the stub that modules compile against.</summary>
internal sealed class DefaultReader : IDisposable
{
    private readonly AssemblyLoadContext _context = new("module", isCollectible: true);
    private readonly Assembly _module;

    public DefaultReader(string module, string powerShell)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(module))!;
        _context.Resolving += (context, name) =>
            name.Name == "System.Management.Automation" ? context.LoadFromAssemblyPath(Path.GetFullPath(powerShell))
            : Path.Combine(folder, name.Name + ".dll") is var path && File.Exists(path) ? context.LoadFromAssemblyPath(path)
            : null;
        _module = _context.LoadFromAssemblyPath(Path.GetFullPath(module));
    }

    /// <summary>The default values of the parameters of a cmdlet, by name.</summary>
    /// <param name="type">The full name of its type.</param>
    /// <param name="parameters">The names of its parameters.</param>
    public IReadOnlyDictionary<string, string> Read(string type, IEnumerable<string> parameters)
    {
        var cmdlet = Activator.CreateInstance(_module.GetType(type, throwOnError: true)!)!;
        return parameters.ToDictionary(name => name, name => Text(cmdlet.GetType().GetProperty(name)!.GetValue(cmdlet)));
    }

    public void Dispose() => _context.Unload();

    private static string Text(object? value) => value switch
    {
        null or "" => "None",
        string text => text,
        Encoding encoding => encoding.WebName,
        long.MaxValue => "None",
        IEnumerable items => string.Join(", ", items.Cast<object>().Select(Text)) is { Length: > 0 } texts ? texts : "None",
        _ when value.GetType().Name == "SwitchParameter" => "False",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) is { Length: > 0 } text && text != value.GetType().FullName ? text : "None",
    };
}
