using System.Management.Automation;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace QemuGuestAgent.Conversion;

/// <summary>Wraps Core's typed replies for PowerShell: with a type name for the views, and the guest that they came from.</summary>
internal static class GuestObject
{
    // The session that an object came through, for other cmdlets that take it as input. Not a property: it would be serialized with the object.
    private static readonly ConditionalWeakTable<object, AgentSession> Origins = new();

    private static readonly MethodInfo ItemsText = typeof(GuestObject).GetMethod(nameof(TextOf))!;

    /// <summary>Wraps a reply.</summary>
    /// <param name="reply">The typed reply.</param>
    /// <param name="thing">The kind of object: the type name is <c>QemuGuestAgent.</c> and this.</param>
    /// <param name="guest">The guest that it came from.</param>
    public static PSObject Of(object reply, string thing, Guest guest) => Of(reply, thing, guest.Target);

    /// <summary>Wraps information about a guest.</summary>
    /// <param name="reply">The typed object.</param>
    /// <param name="thing">The kind of object: the type name is <c>QemuGuestAgent.</c> and this.</param>
    /// <param name="guest">The guest.</param>
    public static PSObject Of(object reply, string thing, GuestTarget guest)
    {
        var result = PSObject.AsPSObject(reply);
        var type = $"QemuGuestAgent.{thing}";

        // The result of a process is the same object when it is requested again.
        if (result.TypeNames[0] != type)
        {
            result.TypeNames.Insert(0, type);
            ReplyConverter.Mark(result, guest);
            TellItems(result, reply);
        }

        if (guest.Session is { } session)
        {
            Origins.GetValue(reply, _ => session);
        }

        return result;
    }

    /// <summary>The text of an array: that of its items.</summary>
    /// <param name="array">The array.</param>
    public static string TextOf(PSObject array) => string.Join(", ", ((Array)array.BaseObject).Cast<object>());

    // Export-Csv writes a value's text, which is the name of its type for an array of .NET.
    private static void TellItems(PSObject result, object reply)
    {
        foreach (var property in reply.GetType().GetProperties().Where(property => property.PropertyType.IsArray))
        {
            if (property.GetValue(reply) is { } items)
            {
                var array = new PSObject(items);
                array.Methods.Add(new PSCodeMethod(nameof(ToString), ItemsText));
                result.Properties.Add(new PSNoteProperty(property.Name, array));
            }
        }
    }

    /// <summary>The session of this process that an object came through, or null.</summary>
    public static AgentSession? OriginOf(PSObject thing) => Origins.TryGetValue(thing.BaseObject, out var session) ? session : null;
}
