using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Tests.WindowsGuest;

/// <summary>Tests in the Windows guest, one at a time; each has a session with its agent, and a folder in it.</summary>
[Collection(nameof(WindowsGuestFixture))]
public abstract class WindowsGuestTest(WindowsGuestFixture fixture) : IAsyncLifetime
{
    private protected WindowsMachine Guest { get; private set; } = null!;

    private protected GuestAgentSession Session { get; set; } = null!;

    private protected static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    /// <summary>A folder in the guest that this test has for itself.</summary>
    private protected string Folder { get; } = $@"C:\tests\{Guid.NewGuid():N}";

    public virtual async ValueTask InitializeAsync()
    {
        Guest = await fixture.UseAsync();
        Directory.CreateDirectory(Guest.HostPath(Folder));
        Session = await Guest.ConnectAsync();
    }

    public virtual ValueTask DisposeAsync()
    {
        Session?.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
