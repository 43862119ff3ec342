using System.Collections;
using System.Management.Automation;

namespace QemuGuestAgent.Conversion;

/// <summary>
/// Lets only text, and what has a key in it, become a key: PowerShell would also take the names of sessions and files that come
/// by pipeline for other parameters.
/// </summary>
internal sealed class SshKeyTextAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        var items = inputData is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : inputData;
        return (items is IEnumerable list and not string ? list.Cast<object?>() : [inputData])
            .Select(TextOf).OfType<string>().ToArray();
    }

    private static string? TextOf(object? item) => item is null ? null
        : PSObject.AsPSObject(item) is var thing && thing.BaseObject is string text ? text
        : thing.Properties["Key"]?.Value as string;
}
