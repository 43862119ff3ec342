#if NET
using System.Management.Automation;
using System.Management.Automation.Remoting;
using System.Management.Automation.Runspaces;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

// The assembly that is created at run time.
[assembly: InternalsVisibleTo(QemuGuestAgent.Remoting.EngineTypes.AssemblyName)]

namespace QemuGuestAgent.Remoting;

/// <summary>
/// The part of PowerShell's public interface for custom transports (7.3 and later) that PowerShellStandard lacks. The two
/// classes that derive from its types are created at run time, and only delegate to this module's.
/// </summary>
internal static class EngineTypes
{
    internal const string AssemblyName = "QemuGuestAgent.EngineTypes";

    private const BindingFlags Members = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    private static readonly Assembly Engine = typeof(PSObject).Assembly;
    private static readonly Type? TransportBase = Engine.GetType("System.Management.Automation.Remoting.Client.ClientSessionTransportManagerBase");
    private static readonly MethodInfo? CreateSessionMethod = typeof(PSSession).GetMethod("Create", BindingFlags.Static | BindingFlags.Public);
    private static readonly Lazy<Type> ConnectionType = new(DefineTypes);

    /// <summary>Whether this PowerShell supports custom transports.</summary>
    public static bool AreThere => TransportBase is { IsPublic: true } && CreateSessionMethod is not null;

    /// <summary>Describes a connection to PowerShell.</summary>
    public static RunspaceConnectionInfo Connection(GuestTransport transport, string guestName) =>
        (RunspaceConnectionInfo)Activator.CreateInstance(ConnectionType.Value, transport, guestName)!;

    /// <summary>Creates the session of a runspace, and lists it in Get-PSSession.</summary>
    public static PSSession CreateSession(Runspace runspace, PSCmdlet cmdlet) =>
        (PSSession)CreateSessionMethod!.Invoke(null, [runspace, "QemuAgent", cmdlet])!;

    /// <summary>One of the transport's protected methods.</summary>
    public static T Method<T>(object transport, string name)
        where T : Delegate => TransportBase!.GetMethod(name, Members)!.CreateDelegate<T>(transport);

    /// <summary>Reports to the transport that the connection is broken, and why.</summary>
    public static void RaiseError(object transport, PSRemotingTransportException error)
    {
        var raise = TransportBase!.GetMethod("RaiseErrorHandler", Members)!;
        var arguments = raise.GetParameters()[0].ParameterType;
        var method = Engine.GetType("System.Management.Automation.Remoting.TransportMethodEnum", throwOnError: true)!;
        raise.Invoke(transport, [Activator.CreateInstance(arguments, error, Enum.Parse(method, "ReceiveShellOutputEx"))]);
    }

    /// <summary>Has a runspace closed once its prompt is left, as Enter-PSSession has those that it opens. An engine without that leaves it open.</summary>
    public static void CloseOnceLeft(Runspace runspace) => runspace.GetType().GetProperty("ShouldCloseOnPop", Members)?.SetValue(runspace, true);

    private static Type DefineTypes()
    {
        var module = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName(AssemblyName), AssemblyBuilderAccess.Run)
            .DefineDynamicModule(AssemblyName);
        var transportType = DefineTransport(module);

        // class Connection(GuestTransport transport, string guestName) : GuestConnectionInfo(transport, guestName)
        var type = module.DefineType("Connection", TypeAttributes.Class | TypeAttributes.Sealed, typeof(GuestConnectionInfo));
        DefineConstructor(type, typeof(GuestConnectionInfo).GetConstructors(Members)[0]);

        // override Clone() => Copy();
        var clone = Override(type, typeof(RunspaceConnectionInfo).GetMethod("Clone")!);
        clone.Emit(OpCodes.Ldarg_0);
        clone.Emit(OpCodes.Call, typeof(GuestConnectionInfo).GetMethod(nameof(GuestConnectionInfo.Copy))!);
        clone.Emit(OpCodes.Ret);

        // override CreateClientSessionTransportManager(id, name, helper) => new Transport(id, helper) { Transport = this.Transport };
        var create = Override(type, typeof(RunspaceConnectionInfo).GetMethod("CreateClientSessionTransportManager")!);
        create.Emit(OpCodes.Ldarg_1);
        create.Emit(OpCodes.Ldarg_3);
        create.Emit(OpCodes.Newobj, transportType.GetConstructors()[0]);
        create.Emit(OpCodes.Dup);
        create.Emit(OpCodes.Ldarg_0);
        create.Emit(OpCodes.Call, typeof(GuestConnectionInfo).GetProperty(nameof(GuestConnectionInfo.Transport))!.GetMethod!);
        create.Emit(OpCodes.Stfld, transportType.GetField("Transport")!);
        create.Emit(OpCodes.Ret);
        return type.CreateType();
    }

    // class Transport(Guid id, PSRemotingCryptoHelper helper) : ClientSessionTransportManagerBase(id, helper)
    private static Type DefineTransport(ModuleBuilder module)
    {
        var type = module.DefineType("Transport", TypeAttributes.Class | TypeAttributes.Sealed, TransportBase);
        var transport = type.DefineField("Transport", typeof(GuestTransport), FieldAttributes.Public);
        DefineConstructor(type, TransportBase!.GetConstructors(Members)[0]);

        // override CreateAsync() => Transport.Open(this);
        var create = Override(type, TransportBase.GetMethod("CreateAsync", Members)!);
        create.Emit(OpCodes.Ldarg_0);
        create.Emit(OpCodes.Ldfld, transport);
        create.Emit(OpCodes.Ldarg_0);
        create.Emit(OpCodes.Call, typeof(GuestTransport).GetMethod(nameof(GuestTransport.Open))!);
        create.Emit(OpCodes.Ret);

        // override CleanupConnection() => Transport.Close();
        var cleanup = Override(type, TransportBase.GetMethod("CleanupConnection", Members)!);
        cleanup.Emit(OpCodes.Ldarg_0);
        cleanup.Emit(OpCodes.Ldfld, transport);
        cleanup.Emit(OpCodes.Call, typeof(GuestTransport).GetMethod(nameof(GuestTransport.Close))!);
        cleanup.Emit(OpCodes.Ret);

        // override Dispose(disposing) { base.Dispose(disposing); Transport.Dispose(disposing); }
        var baseDispose = TransportBase.GetMethod("Dispose", Members, [typeof(bool)])!;
        var dispose = Override(type, baseDispose);
        dispose.Emit(OpCodes.Ldarg_0);
        dispose.Emit(OpCodes.Ldarg_1);
        dispose.Emit(OpCodes.Call, baseDispose);
        dispose.Emit(OpCodes.Ldarg_0);
        dispose.Emit(OpCodes.Ldfld, transport);
        dispose.Emit(OpCodes.Ldarg_1);
        dispose.Emit(OpCodes.Call, typeof(GuestTransport).GetMethod(nameof(GuestTransport.Dispose))!);
        dispose.Emit(OpCodes.Ret);
        return type.CreateType();
    }

    private static void DefineConstructor(TypeBuilder type, ConstructorInfo parent)
    {
        var parameters = Array.ConvertAll(parent.GetParameters(), parameter => parameter.ParameterType);
        var body = type.DefineConstructor(MethodAttributes.Public, CallingConventions.HasThis, parameters).GetILGenerator();
        body.Emit(OpCodes.Ldarg_0);
        body.Emit(OpCodes.Ldarg_1);
        body.Emit(OpCodes.Ldarg_2);
        body.Emit(OpCodes.Call, parent);
        body.Emit(OpCodes.Ret);
    }

    private static ILGenerator Override(TypeBuilder type, MethodInfo method) => type.DefineMethod(
        method.Name, (method.Attributes & MethodAttributes.MemberAccessMask) | MethodAttributes.Virtual | MethodAttributes.HideBySig,
        method.ReturnType, Array.ConvertAll(method.GetParameters(), parameter => parameter.ParameterType)).GetILGenerator();
}
#endif
