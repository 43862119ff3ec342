using System.Collections;
using System.Management.Automation;

namespace QemuGuestAgent.Conversion;

/// <summary>Takes an object that a cmdlet got from a guest for the session by which it was had: sister cmdlets find it so.</summary>
internal sealed class SessionOfAttribute : ArgumentTransformationAttribute
{
    /// <summary>Whether a text may be meant for another parameter: then it is left to the binder to find that out.</summary>
    public bool LeavesText { get; set; }

    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) =>
        inputData is IList items ? items.Cast<object?>().Select(Find).ToArray() : Find(inputData)!;

    // A text would be dropped without a word where the sessions come by pipeline, and the next one taken for its neighbour.
    private object? Find(object? item) => item switch
    {
        null => null,
        string or PSObject { BaseObject: string } when !LeavesText => throw new ArgumentTransformationMetadataException(
            $"'{item}' is no session. Give sessions first, or by pipeline and the other parameters by name; an endpoint goes to -Endpoint."),
        _ => GuestObject.OriginOf(PSObject.AsPSObject(item)) ?? item,
    };
}
