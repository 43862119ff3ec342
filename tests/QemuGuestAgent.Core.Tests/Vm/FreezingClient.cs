using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Operations.Freezing;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Tests.Vm;

/// <summary>A process of its own that freezes a guest, and does not come to thaw it.</summary>
internal static class FreezingClient
{
    public const string Argument = "freeze-and-wait";

    private const string Frozen = "frozen";

    /// <summary>What the process does.</summary>
    public static async Task<int> RunAsync(string socket)
    {
        using var session = await GuestAgentSession.ConnectAsync(new UnixEndpoint(socket));
        Assert.Empty(await new FreezeScope([session]).FreezeAsync());
        Console.WriteLine(Frozen);
        return await new TaskCompletionSource<int>().Task;
    }

    /// <summary>Runs it until it has frozen the guest, and kills it then.</summary>
    public static async Task RunAndKillAsync(string socket)
    {
        using var process = TestHost.Start(Argument, socket);
        try
        {
            Assert.Equal(Frozen, await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }
}
