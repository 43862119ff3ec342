using System.Management.Automation;
using System.Runtime.CompilerServices;

namespace QemuGuestAgent.Conversion;

/// <summary>Dresses Core's typed replies for PowerShell: a type name for the views, and the guest that they came from.</summary>
internal static class GuestObject
{
    // By which session an object was had: a sister cmdlet finds its guest by it. Not a property: it would be serialized with the object.
    private static readonly ConditionalWeakTable<object, AgentSession> Origins = new();

    /// <summary>Dresses a reply.</summary>
    /// <param name="reply">The typed reply.</param>
    /// <param name="thing">What it is: the type name is <c>QemuGuestAgent.</c> and this.</param>
    /// <param name="guest">Where it came from.</param>
    public static PSObject Of(object reply, string thing, Guest guest) => Of(reply, thing, guest.Name, guest.UserSession);

    /// <summary>Dresses what was found out about a guest.</summary>
    /// <param name="reply">The typed object.</param>
    /// <param name="thing">What it is: the type name is <c>QemuGuestAgent.</c> and this.</param>
    /// <param name="name">The guest's name.</param>
    /// <param name="session">The session by which it was had, or null.</param>
    public static PSObject Of(object reply, string thing, string name, AgentSession? session)
    {
        var result = PSObject.AsPSObject(reply);
        var type = $"QemuGuestAgent.{thing}";

        // How a process ended is the same object when it is asked for again.
        if (result.TypeNames[0] != type)
        {
            result.TypeNames.Insert(0, type);
        }

        if (session is not null)
        {
            Origins.GetValue(reply, _ => session);
        }

        return (PSObject)ReplyConverter.Mark(result, name)!;
    }

    /// <summary>The session by which an object of this process was had, or null.</summary>
    public static AgentSession? OriginOf(PSObject thing) => Origins.TryGetValue(thing.BaseObject, out var session) ? session : null;
}
