using System.Collections;
using System.Management.Automation;

namespace QemuGuestAgent.Conversion;

/// <summary>
/// Converts an object that has an endpoint or a name to that text: an object of Find-QemuGuestAgent, or one of another module. What came
/// from a guest means that guest.
/// </summary>
internal sealed class EndpointTextAttribute : ArgumentTransformationAttribute
{
    // What says more than a name, by parameters of its own.
    private static readonly string[] Others = ["SocketPath", "HostName", "LibvirtDomain", "PipeName", "SerialPort", "VsockCid"];

    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) =>
        inputData is IList items ? items.Cast<object?>().Select(Find).ToArray() : Find(inputData)!;

    private static object? Find(object? item)
    {
        if (item is null)
        {
            return null;
        }

        var thing = PSObject.AsPSObject(item);
        if (thing.Properties[ReplyConverter.GuestNameProperty] is null
            && (thing.BaseObject is string || (thing.Properties["Endpoint"] is null && Array.Exists(Others, name => thing.Properties[name] is not null))))
        {
            return item;
        }

        // An object's name has no wildcards; nor has a path of its.
        return SessionOfAttribute.GuestOf(thing) is not { } guest ? item
            : guest is { IsMarked: false, ObjectEndpoint: not null } ? guest.ObjectEndpoint
            : WildcardPattern.Escape(guest.Name);
    }
}
