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
        var isMarked = thing.Properties[ReplyConverter.GuestNameProperty] is not null;
        if (!isMarked && thing.BaseObject is string)
        {
            return item;
        }

        // As text it would be a name that any user can give a socket.
        if (!isMarked && thing.Properties["Endpoint"] is null && Array.Exists(Others, name => thing.Properties[name] is not null))
        {
            throw new ArgumentTransformationMetadataException("The object has no property Endpoint. Give what it has by parameters, as in: ForEach-Object { Connect-QemuGuestAgent -SocketPath $_.SocketPath }");
        }

        // An object's name has no wildcards; nor has a path of its.
        return SessionOfAttribute.GuestOf(thing) is not { } guest ? item
            : guest is { IsMarked: false, ObjectEndpoint: not null } ? guest.ObjectEndpoint
            : WildcardPattern.Escape(AgentSession.FullNameOf(guest.Name, guest.MarkedHost));
    }
}
