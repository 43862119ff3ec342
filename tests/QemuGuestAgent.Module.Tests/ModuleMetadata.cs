using System.Reflection;

namespace QemuGuestAgent.Module.Tests;

/// <summary>The module's types as metadata: nothing of it is run.</summary>
public sealed class ModuleMetadata : IDisposable
{
    private readonly MetadataLoadContext _context;

    public ModuleMetadata()
    {
        string[] paths =
        [
            .. Directory.GetFiles(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "*.dll"),
            .. Layout.Assemblies("net8.0"),
            Layout.PowerShellStandard,
        ];
        _context = new MetadataLoadContext(new PathAssemblyResolver(paths.DistinctBy(Path.GetFileName)));
        Module = _context.LoadFromAssemblyPath(Path.Combine(Layout.Module, "bin", "net8.0", "QemuGuestAgent.dll"));
        Cmdlets = [.. Module.GetExportedTypes().Where(type => Attribute(type, "CmdletAttribute") is not null)];
    }

    public Assembly Module { get; }

    public IReadOnlyList<Type> Cmdlets { get; }

    /// <summary>Verb-Noun of a cmdlet's type.</summary>
    public static string NameOf(Type cmdlet)
    {
        var attribute = Attribute(cmdlet, "CmdletAttribute")!;
        return $"{attribute.ConstructorArguments[0].Value}-{attribute.ConstructorArguments[1].Value}";
    }

    public static CustomAttributeData? Attribute(MemberInfo member, string name) =>
        member.GetCustomAttributesData().FirstOrDefault(a => a.AttributeType.Name == name);

    public static IEnumerable<PropertyInfo> Parameters(Type cmdlet) =>
        cmdlet.GetProperties().Where(property => Attribute(property, "ParameterAttribute") is not null);

    /// <summary>What a cmdlet says that it writes: types, and names of types.</summary>
    public static IEnumerable<object> Outputs(Type cmdlet) => cmdlet.GetCustomAttributesData()
        .Where(a => a.AttributeType.Name == "OutputTypeAttribute")
        .SelectMany(a => (IEnumerable<CustomAttributeTypedArgument>)a.ConstructorArguments[0].Value!)
        .Select(argument => argument.Value!);

    /// <summary>Whether PowerShell's completion and help leave it out.</summary>
    public static bool IsHidden(PropertyInfo parameter) =>
        Attribute(parameter, "ParameterAttribute")!.NamedArguments.Any(a => a.MemberName == "DontShow" && a.TypedValue.Value is true);

    public static bool SupportsShouldProcess(Type cmdlet) =>
        Attribute(cmdlet, "CmdletAttribute")!.NamedArguments.Any(a => a.MemberName == "SupportsShouldProcess" && a.TypedValue.Value is true);

    public void Dispose() => _context.Dispose();
}
