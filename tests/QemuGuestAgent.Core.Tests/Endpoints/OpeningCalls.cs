using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Tests.Errors;

namespace QemuGuestAgent.Core.Tests.Endpoints;

/// <summary>Opens endpoints. No caller gives up unless the test says so.</summary>
internal static class OpeningCalls
{
    public static Task<Stream> OpenAsync(this GuestAgentEndpoint endpoint) => endpoint.OpenAsync(CancellationToken.None).OrHang();
}
