using System.Reflection;

namespace HelpBuilder;

/// <summary>The cmdlets of a module's assembly, read as metadata; only the defaults of parameters are those of real objects.</summary>
internal sealed class CmdletReader : IDisposable
{
    private readonly MetadataLoadContext _context;
    private readonly Assembly _module;
    private readonly CommentReader _comments;
    private readonly DefaultReader _defaults;

    public CmdletReader(string module, string powerShell, CommentReader comments)
    {
        string[] paths =
        [
            .. Directory.GetFiles(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "*.dll"),
            .. Directory.GetFiles(Path.GetDirectoryName(Path.GetFullPath(module))!, "*.dll"),
            powerShell,
        ];
        _context = new MetadataLoadContext(new PathAssemblyResolver(paths.DistinctBy(Path.GetFileName)));
        _module = _context.LoadFromAssemblyPath(module);
        _comments = comments;
        _defaults = new DefaultReader(module, powerShell);
    }

    /// <summary>All cmdlets, by name.</summary>
    public IReadOnlyList<Cmdlet> ReadAll()
    {
        var types = _module.GetExportedTypes().Where(type => Attribute(type, "CmdletAttribute") is not null);
        return [.. types.Select(Read).OrderBy(cmdlet => cmdlet.Name, StringComparer.Ordinal)];
    }

    public void Dispose()
    {
        _defaults.Dispose();
        _context.Dispose();
    }

    private Cmdlet Read(Type type)
    {
        var cmdlet = Attribute(type, "CmdletAttribute")!;
        var properties = type.GetProperties()
            .Where(p => Attribute(p, "ParameterAttribute") is { } parameter && Named(parameter, "DontShow") is not true).ToList();
        var defaults = _defaults.Read(type.FullName!, properties.Select(property => property.Name));
        var parameters = properties.Select(property => Read(property, defaults[property.Name]));
        return new Cmdlet(
            $"{cmdlet.ConstructorArguments[0].Value}-{cmdlet.ConstructorArguments[1].Value}",
            _comments.Of(type),
            Named(cmdlet, "DefaultParameterSetName") as string ?? "",
            [.. parameters.OrderBy(p => p.Name, StringComparer.Ordinal), .. Named(cmdlet, "SupportsShouldProcess") is true ? ShouldProcess : []],
            [.. Attributes(type, "OutputTypeAttribute").SelectMany(a => Items(a.ConstructorArguments[0])).Where(IsForUsers).Select(TypeName)]);
    }

    private CmdletParameter Read(PropertyInfo property, string byDefault)
    {
        var type = property.PropertyType;
        type = type.IsGenericType && type.Name == "Nullable`1" ? type.GetGenericArguments()[0] : type;
        var element = type.IsArray ? type.GetElementType()! : type;
        return new CmdletParameter(
            property.Name,
            _comments.Of(property),
            type.Name,
            byDefault,
            type.Name == "SwitchParameter",
            type.IsArray,
            Attribute(property, "SupportsWildcardsAttribute") is not null,
            [.. Attributes(property, "AliasAttribute").SelectMany(a => Items(a.ConstructorArguments[0])).Select(item => (string)item!)],
            element.IsEnum ? element.GetEnumNames()
                : [.. Attributes(property, "ValidateSetAttribute").SelectMany(a => Items(a.ConstructorArguments[0])).Select(item => (string)item!)],
            Attributes(property, "ParameterAttribute").ToDictionary(
                a => Named(a, "ParameterSetName") as string ?? CmdletParameter.AllSets,
                a => new ParameterUse(
                    Named(a, "Mandatory") is true,
                    Named(a, "Position") as int?,
                    Named(a, "ValueFromPipeline") is true,
                    Named(a, "ValueFromPipelineByPropertyName") is true)));
    }

    // Those two come from the engine, whose own help has these texts for them.
    private static IEnumerable<CmdletParameter> ShouldProcess =>
    [
        Switch("Confirm", "Prompts you for confirmation before running the cmdlet.", "cf"),
        Switch("WhatIf", "Shows what would happen if the cmdlet runs. The cmdlet is not run.", "wi"),
    ];

    private static CmdletParameter Switch(string name, string description, string alias) => new(
        name, description, "SwitchParameter", "False", true, false, false, [alias], [],
        new Dictionary<string, ParameterUse> { [CmdletParameter.AllSets] = new(false, null, false, false) });

    // Types of the library are there for completion: their objects have names of their own.
    private static bool IsForUsers(object? type) => (type as Type)?.Namespace?.StartsWith("QemuGuestAgent.Core", StringComparison.Ordinal) is not true;

    private static string TypeName(object? type) => type switch
    {
        Type { FullName: "System.Void" } => "None",
        Type known => known.FullName!,
        _ => (string)type!,
    };

    private static IEnumerable<object?> Items(CustomAttributeTypedArgument argument) =>
        argument.Value is IEnumerable<CustomAttributeTypedArgument> items ? items.Select(item => item.Value) : [argument.Value];

    private static object? Named(CustomAttributeData attribute, string name) =>
        attribute.NamedArguments.FirstOrDefault(a => a.MemberName == name).TypedValue.Value;

    private static CustomAttributeData? Attribute(MemberInfo member, string name) => Attributes(member, name).FirstOrDefault();

    private static IEnumerable<CustomAttributeData> Attributes(MemberInfo member, string name) =>
        member.GetCustomAttributesData().Where(a => a.AttributeType.Name == name);
}
