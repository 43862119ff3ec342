namespace QemuGuestAgent.Core.Tests.Vm;

/// <summary>What virtual machines are booted from: a folder that tests/tools/vm-image.sh has filled.</summary>
internal sealed record VmImage(string Folder)
{
    private const string Variable = "QEMU_GA_VM_IMAGE";

    public string Kernel => Path.Combine(Folder, "vmlinuz");

    public string Initrd => Path.Combine(Folder, "initrd");

    public string Disk => Path.Combine(Folder, "disk");

    /// <summary>The image that the environment names; skips the test where it names none.</summary>
    // A path that leads nowhere fails the tests: whoever set it wants them to run.
    public static VmImage Named()
    {
        var folder = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(
            string.IsNullOrEmpty(folder),
            $"no image of a virtual machine is named: {Variable}=$(tests/tools/vm-image.sh FOLDER), or build.ps1 Test -Vm");
        return new VmImage(folder);
    }
}
