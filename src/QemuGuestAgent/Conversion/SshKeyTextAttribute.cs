using System.Collections;
using System.Management.Automation;

namespace QemuGuestAgent.Conversion;

/// <summary>
/// Allows only strings, and objects that have a key, as keys: PowerShell would also bind the names of sessions and files that come
/// through the pipeline for other parameters.
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
