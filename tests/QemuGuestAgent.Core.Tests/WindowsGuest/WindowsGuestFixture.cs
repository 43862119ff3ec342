namespace QemuGuestAgent.Core.Tests.WindowsGuest;

/// <summary>The Windows guest that all tests in one share, started when the first of them asks for it.</summary>
[CollectionDefinition(nameof(WindowsGuestFixture))]
public sealed class WindowsGuestFixture : ICollectionFixture<WindowsGuestFixture>, IAsyncDisposable
{
    private WindowsMachine? _guest;
    private string[]? _options;

    /// <summary>The guest, with an agent that runs with these options; skips the test where there is none.</summary>
    public async Task<WindowsMachine> UseAsync(params string[] options)
    {
        _guest ??= await WindowsMachine.CreateAsync();
        if (_options is null || !_options.SequenceEqual(options))
        {
            await _guest.KillAgentAsync();
        }

        if (!_guest.IsAgentRunning)
        {
            await _guest.StartAgentAsync(_options = options);
        }

        return _guest;
    }

    public async ValueTask DisposeAsync()
    {
        if (_guest is not null)
        {
            await _guest.DisposeAsync();
        }
    }
}
