using System.Collections.Specialized;
using System.Management.Automation;

namespace QemuGuestAgent.Conversion;

/// <summary>Unwraps PowerShell's wrapper objects.</summary>
internal static class ArgumentConverter
{
    /// <summary>The wrapped value; for a custom object its properties in order, for a switch its bool.</summary>
    public static object? Unwrap(object value) => value switch
    {
        PSObject { BaseObject: PSCustomObject } custom => Properties(custom),
        PSObject wrapped => Unwrap(wrapped.BaseObject),
        SwitchParameter on => on.IsPresent,
        _ => value,
    };

    private static OrderedDictionary Properties(PSObject custom)
    {
        var properties = new OrderedDictionary();
        foreach (var property in custom.Properties)
        {
            properties.Add(property.Name, property.Value);
        }

        return properties;
    }
}
