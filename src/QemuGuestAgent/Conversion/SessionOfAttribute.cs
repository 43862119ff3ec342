using System.Collections;
using System.Management.Automation;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Conversion;

/// <summary>
/// Converts what is given in place of a session: the name or endpoint of a guest, an object that came from a guest, or one that has an
/// endpoint or a name.
/// </summary>
internal sealed class SessionOfAttribute : ArgumentTransformationAttribute
{
    // By what an object says where its guest is: ours, files, those of other modules.
    private static readonly string[] Places = ["Endpoint", "FullName", ReplyConverter.GuestNameProperty, "VMName", "Name"];

    /// <summary>Whether a text may be a command, which the binder then gives to another parameter.</summary>
    public bool LeavesCommands { get; set; }

    /// <summary>The text by which an object names its guest, or null.</summary>
    public static string? TextOf(PSObject item) =>
        Places.Select(place => item.Properties[place]?.Value?.ToString()).FirstOrDefault(text => !string.IsNullOrEmpty(text));

    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) =>
        inputData is IList items ? items.Cast<object?>().Select(Find).ToArray() : Find(inputData)!;

    private object? Find(object? item)
    {
        switch (item is PSObject wrapped ? wrapped.BaseObject : item)
        {
            case null or AgentSession or AgentProcess or "":
                return item;
            case string text:
                return LeavesCommands && IsCommand(text) ? item : new NamedGuest(text);
            default:
                var thing = PSObject.AsPSObject(item);
                return GuestObject.OriginOf(thing) ?? (TextOf(thing) is { } name ? new NamedGuest(name) : item);
        }
    }

    private static bool IsCommand(string text) =>
        text.StartsWith("guest-", StringComparison.OrdinalIgnoreCase) || RequestText.IsObject(text);
}
