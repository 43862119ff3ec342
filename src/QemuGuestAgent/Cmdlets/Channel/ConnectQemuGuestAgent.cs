using System.Management.Automation;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Cmdlets.Channel;

/// <summary>Opens sessions with the agents of guests, synchronised and ready for commands; writes them in the order of their endpoints.</summary>
[Cmdlet(VerbsCommunications.Connect, "QemuGuestAgent", DefaultParameterSetName = EndpointSet)]
[OutputType(typeof(AgentSession))]
public sealed class ConnectQemuGuestAgent : FanOutCmdlet
{
    internal const double DefaultTimeoutSeconds = 10;

    private const string EndpointSet = "Endpoint";
    private const string SocketSet = "Socket";
    private const string TcpSet = "Tcp";

    private readonly SessionOpening _opening;

    // '$a, $b = Connect-QemuGuestAgent …' must never swap two guests.
    private readonly InOrder _output = new();
    private int _count;

    /// <summary>Makes the cmdlet.</summary>
    public ConnectQemuGuestAgent()
    {
        TimeoutSeconds = DefaultTimeoutSeconds;
        _opening = new SessionOpening(this);
    }

    /// <summary>Where the agents are: unix:/path (or just the path), tcp://host:port, embedded:.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = EndpointSet, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string[] Endpoint { get; set; } = [];

    /// <summary>The path of the Unix domain socket that QEMU offers for the guest's channel; Get-ChildItem's objects bring it.</summary>
    [Parameter(Mandatory = true, ParameterSetName = SocketSet, ValueFromPipelineByPropertyName = true)]
    [Alias("FullName")]
    [ValidateNotNullOrEmpty]
    public string[] SocketPath { get; set; } = [];

    /// <summary>The host whose TCP port is the guest's channel.</summary>
    [Parameter(Mandatory = true, ParameterSetName = TcpSet, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string HostName { get; set; } = "";

    /// <summary>The TCP port.</summary>
    [Parameter(Mandatory = true, ParameterSetName = TcpSet, ValueFromPipelineByPropertyName = true)]
    [ValidateRange(1, 65535)]
    public int Port { get; set; }

    /// <summary>A name for each session; without it they are named after their endpoints.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = [];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var texts = ParameterSetName switch
        {
            SocketSet => Array.ConvertAll(SocketPath, path => $"{UnixEndpoint.Kind.Scheme}:{path}"),
            TcpSet => [HostName.Contains(':') ? $"tcp://[{HostName}]:{Port}" : $"tcp://{HostName}:{Port}"],
            _ => Endpoint,
        };
        if (Name.Length > 0 && Name.Length != texts.Length)
        {
            ThrowTerminatingError(ErrorRecords.Of(ErrorCatalogue.SessionNamesMismatch.With(Name, Name.Length, texts.Length), Name));
        }

        for (var i = 0; i < texts.Length; i++)
        {
            Connect(texts[i], Name.Length > 0 ? Name[i] : null);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _opening.Dispose();
    }

    private void Connect(string text, string? givenName)
    {
        if (ParseEndpoint(text) is not { } endpoint)
        {
            return;
        }

        var name = givenName ?? Endpoints.DefaultName(endpoint);
        var number = _count++;
        Start(text, name, async (call, stop) =>
        {
            var write = await OpenAsync(text, name, endpoint, call, stop).ConfigureAwait(false);
            return () => _output.Run(number, write);
        });
    }

    private async Task<Action> OpenAsync(
        string text, string name, GuestAgentEndpoint endpoint, CallOptions call, CancellationToken stop)
    {
        try
        {
            return await _opening.OpenAsync(name, GuestAgentSession.ConnectAsync(endpoint, null, call, stop), call, stop).ConfigureAwait(false);
        }
        catch (GuestAgentException e)
        {
            return () => WriteError(ErrorRecords.Of(e, text));
        }
    }
}
