using System.Management.Automation;

namespace QemuGuestAgent.Loading;

/// <summary>What happens when the module is imported and removed.</summary>
public sealed class ModuleEvents : IModuleAssemblyInitializer, IModuleAssemblyCleanup
{
    /// <inheritdoc/>
    public void OnImport() => DependencyLoader.Register();

    /// <summary>Closes the sessions that this runspace opened. Called on another instance than <see cref="OnImport"/>.</summary>
    /// <param name="psModuleInfo">The module.</param>
    public void OnRemove(PSModuleInfo psModuleInfo) => SessionRegistry.OfThisRunspace.CloseAll();
}
