using System.Collections;
using System.Management.Automation;

namespace QemuGuestAgent.Conversion;

/// <summary>Converts an object that came from a guest to the session that it came through, so that other cmdlets can take it as input.</summary>
internal sealed class SessionOfAttribute : ArgumentTransformationAttribute
{
    /// <summary>Whether a string may be meant for another parameter: then the binder decides.</summary>
    public bool LeavesText { get; set; }

    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) =>
        inputData is IList items ? items.Cast<object?>().Select(Find).ToArray() : Find(inputData)!;

    // If the sessions come through the pipeline, a string would be dropped silently, and the next one bound in its place.
    private object? Find(object? item) => item switch
    {
        null => null,
        string or PSObject { BaseObject: string } when !LeavesText => throw new ArgumentTransformationMetadataException(
            $"'{item}' is no session. Give sessions first, or by pipeline and the other parameters by name; an endpoint goes to -Endpoint."),
        _ => GuestObject.OriginOf(PSObject.AsPSObject(item)) ?? item,
    };
}
