using System.Collections;
using System.Management.Automation;

namespace QemuGuestAgent.Conversion;

/// <summary>Takes an object that a cmdlet got from a guest for the session by which it was had: sister cmdlets find it so.</summary>
internal sealed class SessionOfAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) =>
        inputData is IList items ? items.Cast<object?>().Select(Find).ToArray() : Find(inputData)!;

    private static object? Find(object? item) => item is null ? null : GuestObject.OriginOf(PSObject.AsPSObject(item)) ?? item;
}
