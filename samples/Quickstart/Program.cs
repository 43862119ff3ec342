// Connect, flush, synchronise, invoke: on the embedded agent, or on the endpoint given as argument.
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;
using QemuGuestAgent.EmbeddedAgent;

if (args.Length > 1)
{
    Console.Error.WriteLine("usage: dotnet run --project samples/Quickstart [endpoint]");
    return 2;
}

try
{
    var endpoint = EndpointGrammar.Default.With(EmbeddedEndpoint.Kind).Parse(args.FirstOrDefault() ?? "embedded:");
    var call = new CallOptions { Timeout = TimeSpan.FromSeconds(10), Trace = Show };
    using var session = await GuestAgentSession.ConnectAsync(endpoint, call: call);
    foreach (var command in new[] { "guest-ping", "guest-get-host-name", "guest-get-osinfo", "guest-get-time" })
    {
        Console.WriteLine($"{command}: {await session.InvokeAsync(new GuestAgentRequest(command), call)}");
    }

    return 0;
}
catch (GuestAgentException e)
{
    Console.Error.WriteLine($"{e.ErrorId}: {e.Message}{Environment.NewLine}{e.RecommendedAction}");
    return 1;
}

static void Show(TraceEvent happened) => Console.WriteLine(happened.Kind switch
{
    TraceKind.Sent => $"  -> {happened.Text}",
    TraceKind.Received => $"  <- {happened.Text}",
    _ => happened.Text,
});
