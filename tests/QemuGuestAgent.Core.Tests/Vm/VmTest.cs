using System.Text.Json;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Tests.Vm;

/// <summary>Tests of which each has a virtual machine of its own; one at a time, for it takes a processor while it boots.</summary>
[Collection(nameof(VmTest))]
public abstract class VmTest : IAsyncDisposable
{
    private protected VirtualMachine Vm { get; } = new(VmImage.Named());

    private protected static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await Vm.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected static Task<JsonElement> InvokeAsync(
        GuestAgentSession session, string command, Dictionary<string, object?>? arguments = null) =>
        session.InvokeAsync(new GuestAgentRequest(command, ArgumentWriter.Prepare(command, arguments)), cancellationToken: TestEnd);

    /// <summary>What a command line writes in the guest.</summary>
    private protected static async Task<string> RunAsync(GuestAgentSession session, string commandLine)
    {
        var shell = new GuestProcessStart("/bin/sh") { Arguments = ["-c", commandLine] };
        var result = await GuestProcess.RunAsync(session, shell, cancellationToken: TestEnd);
        Assert.Equal((0, ""), (result.ExitCode, result.StandardError));
        return result.StandardOutput.TrimEnd();
    }
}
