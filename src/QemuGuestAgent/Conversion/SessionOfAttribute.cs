using System.Collections;
using System.Management.Automation;
using QemuGuestAgent.Core.Endpoints.Finding;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Conversion;

/// <summary>
/// Converts what is given in place of a session: the name or endpoint of a guest, something that came from a guest, or an object that has
/// an endpoint or a name. What came from a guest means that guest: whatever else it says may be what the guest wants.
/// </summary>
internal sealed class SessionOfAttribute : ArgumentTransformationAttribute
{
    private const string EndpointProperty = "Endpoint";

    /// <summary>Whether a text may be a command, which the binder then gives to another parameter.</summary>
    public bool LeavesCommands { get; set; }

    /// <summary>The guest that something means which is no text of the user; null where it means none.</summary>
    public static NamedGuest? GuestOf(PSObject thing) =>
        TextOf(thing, ReplyConverter.GuestNameProperty) is { } mark ? NamedGuest.OfMark(mark, TextOf(thing, ReplyConverter.HostNameProperty), TextOf(thing, EndpointProperty))
        : thing.BaseObject is FoundChannel channel ? NamedGuest.OfChannel(channel)
        : (TextOf(thing, EndpointProperty) ?? TextOf(thing, "FullName")) is { } endpoint ? NamedGuest.OfEndpoint(endpoint)
        : TextOf(thing, "VMName") is { } machine ? NamedGuest.OfName(machine)
        // Processes, services and much else have a name too.
        : thing.BaseObject is PSCustomObject && TextOf(thing, "Name") is { } name ? NamedGuest.OfName(name)
        : null;

    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) =>
        inputData is IList items ? items.Cast<object?>().Select(Find).ToArray() : Find(inputData)!;

    private static string? TextOf(PSObject thing, string property) => thing.Properties[property]?.Value?.ToString() is { Length: > 0 } text ? text : null;

    private object? Find(object? item)
    {
        var value = item is PSObject wrapped ? wrapped.BaseObject : item;
        if (value is null or AgentSession or AgentProcess or "")
        {
            return item;
        }

        var thing = PSObject.AsPSObject(item);
        if (value is string text && TextOf(thing, ReplyConverter.GuestNameProperty) is null)
        {
            return LeavesCommands && IsCommand(text) ? item : new NamedGuest(text);
        }

        return GuestObject.OriginOf(thing) ?? GuestOf(thing) ?? item;
    }

    private static bool IsCommand(string text) =>
        text.StartsWith("guest-", StringComparison.OrdinalIgnoreCase) || RequestText.IsObject(text);
}
