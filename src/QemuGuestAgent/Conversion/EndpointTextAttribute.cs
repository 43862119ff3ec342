using System.Collections;
using System.Management.Automation;

namespace QemuGuestAgent.Conversion;

/// <summary>Converts an object that has an endpoint or a name to that text: an object of Find-QemuGuestAgent, or one of another module.</summary>
internal sealed class EndpointTextAttribute : ArgumentTransformationAttribute
{
    // What says more than a name, by parameters of its own.
    private static readonly string[] Others = ["SocketPath", "HostName", "LibvirtDomain", "PipeName", "SerialPort", "VsockCid"];

    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) =>
        inputData is IList items ? items.Cast<object?>().Select(Find).ToArray() : Find(inputData)!;

    private static object? Find(object? item) =>
        item is null or string or PSObject { BaseObject: string } ? item
        : PSObject.AsPSObject(item) is var thing && Array.Exists(Others, name => thing.Properties[name] is not null) ? item
        : SessionOfAttribute.TextOf(thing) ?? item;
}
