using System.Collections;
using System.Management.Automation;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Endpoints;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>Opens sessions with the agents of guests, synchronised and ready for commands, and writes them in the order of their endpoints.</summary>
[Cmdlet(VerbsCommunications.Connect, "QemuGuestAgent", DefaultParameterSetName = EndpointSet)]
[OutputType(typeof(AgentSession))]
public sealed class ConnectQemuGuestAgentCommand : FanOutCmdlet
{
    internal const double DefaultTimeoutSeconds = 10;

    // The speed that the agent sets at its own end.
    private const int DefaultBaudRate = 38400;

    private const string EndpointSet = "Endpoint";
    private const string SocketSet = "Socket";
    private const string SshSet = "Ssh";
    private const string TcpSet = "Tcp";
    private const string PipeSet = "Pipe";
    private const string SerialSet = "Serial";
    private const string VsockSet = "Vsock";
    private const string ProgramSet = "Program";
    private const string LibvirtSet = "Libvirt";

    private readonly SessionOpening _opening;
    private readonly HashSet<string> _channels = new(StringComparer.Ordinal);

    private bool _isNameGiven;

    /// <summary>Makes the cmdlet.</summary>
    public ConnectQemuGuestAgentCommand()
    {
        TimeoutSeconds = DefaultTimeoutSeconds;
        _opening = new SessionOpening(this);
    }

    /// <summary>
    /// Where the agents are: the name of a guest of this host, with wildcards; or unix:/path (or just the path, also with wildcards),
    /// ssh://[user@]host/path, libvirt:domain, tcp://host:port, exec:program arguments, pipe:name, serial:/dev/ttyS0, vsock:cid:port,
    /// embedded:. exec, ssh and libvirt endpoints can start programs here: use only those that you trust.
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = EndpointSet, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [EndpointText]
    [ArgumentCompleter(typeof(EndpointCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Endpoint { get; set; } = [];

    /// <summary>The path of the Unix domain socket that QEMU offers for the guest's channel. Objects of Get-ChildItem provide it.</summary>
    [Parameter(Mandatory = true, ParameterSetName = SocketSet, ValueFromPipelineByPropertyName = true)]
    [Parameter(Mandatory = true, ParameterSetName = SshSet, ValueFromPipelineByPropertyName = true)]
    [Alias("FullName")]
    [ValidateNotNullOrEmpty]
    public string[] SocketPath { get; set; } = [];

    /// <summary>
    /// The host that has the socket and that ssh reaches, as [user@]host[:port]; or the host that offers the guest's channel as a TCP port.
    /// </summary>
    [Parameter(Mandatory = true, ParameterSetName = SshSet, ValueFromPipelineByPropertyName = true)]
    [Parameter(Mandatory = true, ParameterSetName = TcpSet, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(SshHostCompleter))]
    [ValidateNotNullOrEmpty]
    public string HostName { get; set; } = "";

    /// <summary>The TCP port; with -SocketPath that of sshd, by default as ssh's configuration says.</summary>
    [Parameter(ParameterSetName = SshSet, ValueFromPipelineByPropertyName = true)]
    [Parameter(Mandatory = true, ParameterSetName = TcpSet, ValueFromPipelineByPropertyName = true)]
    [ValidateRange(1, 65535)]
    public int Port { get; set; }

    /// <summary>The user to log in as on the host; by default as ssh's configuration says.</summary>
    [Parameter(ParameterSetName = SshSet, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string? UserName { get; set; }

    /// <summary>The path of a private key; by default those of ssh's configuration and agent.</summary>
    [Parameter(ParameterSetName = SshSet)]
    [Alias("IdentityFilePath")]
    [ValidateNotNullOrEmpty]
    public string? KeyFilePath { get; set; }

    /// <summary>Further options of ssh, as in ssh_config: @{ ConnectTimeout = 5 }. Some start programs.</summary>
    [Parameter(ParameterSetName = SshSet)]
    [ValidateNotNull]
    public Hashtable? Options { get; set; }

    /// <summary>Opens the socket by sudo -n on the host: for a user who may not use it.</summary>
    [Parameter(ParameterSetName = SshSet)]
    public SwitchParameter Sudo { get; set; }

    /// <summary>Names of libvirt domains. libvirt holds their channels, so commands go through its own library.</summary>
    [Parameter(Mandatory = true, ParameterSetName = LibvirtSet, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(LibvirtDomainCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] LibvirtDomain { get; set; } = [];

    /// <summary>The hypervisor of the domains, such as qemu:///system or qemu+ssh://host/system; libvirt's default if omitted. A URI can start programs.</summary>
    [Parameter(ParameterSetName = LibvirtSet, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string? LibvirtUri { get; set; }

    /// <summary>The program whose standard input and output are the channel, such as ssh; it ends with the session and with PowerShell.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ProgramSet)]
    [ValidateNotNullOrEmpty]
    public string Program { get; set; } = "";

    /// <summary>The program's arguments.</summary>
    [Parameter(ParameterSetName = ProgramSet)]
    [ValidateNotNull]
    public string[] ProgramArguments { get; set; } = [];

    /// <summary>The name of the pipe that a QEMU on Windows offers.</summary>
    [Parameter(Mandatory = true, ParameterSetName = PipeSet, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string PipeName { get; set; } = "";

    /// <summary>The device of a serial port or pseudo terminal, such as /dev/ttyS0.</summary>
    [Parameter(Mandatory = true, ParameterSetName = SerialSet, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(SerialPortCompleter))]
    [ValidateNotNullOrEmpty]
    public string SerialPort { get; set; } = "";

    /// <summary>The speed of the port, in bits per second.</summary>
    [Parameter(ParameterSetName = SerialSet, ValueFromPipelineByPropertyName = true)]
    public int BaudRate { get; set; } = DefaultBaudRate;

    /// <summary>The context id of the guest whose agent listens on a virtual socket.</summary>
    [Parameter(Mandatory = true, ParameterSetName = VsockSet, ValueFromPipelineByPropertyName = true)]
    public uint VsockCid { get; set; }

    /// <summary>The port of the virtual socket.</summary>
    [Parameter(Mandatory = true, ParameterSetName = VsockSet, ValueFromPipelineByPropertyName = true)]
    public uint VsockPort { get; set; }

    /// <summary>A name for each session; by default it is derived from the endpoint.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = [];

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        _isNameGiven = MyInvocation.BoundParameters.ContainsKey(nameof(Name));
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var texts = ParameterSetName switch
        {
            SshSet => OnHost(),
            SocketSet => Array.ConvertAll(SocketPath, path => $"{UnixEndpoint.Kind.Scheme}:{path}"),
            TcpSet => [HostName.Contains(':') ? $"tcp://[{HostName}]:{Port}" : $"tcp://{HostName}:{Port}"],
            LibvirtSet => Array.ConvertAll(LibvirtDomain, domain => LibvirtEndpoint.TextOf(domain, LibvirtUri)),
            ProgramSet => [ExecEndpoint.TextOf(Program, ProgramArguments)],
            PipeSet => [$"{PipeEndpoint.Kind.Scheme}:{PipeName}"],
            SerialSet => [$"{SerialEndpoint.Kind.Scheme}:{SerialPort}?baud={BaudRate}"],
            VsockSet => [$"{VsockEndpoint.Kind.Scheme}:{VsockCid}:{VsockPort}"],
            _ => Endpoint,
        };
        if (Name.Length > 0 && Name.Length != texts.Length)
        {
            ThrowTerminatingError(ErrorRecords.Of(ErrorCatalogue.SessionNamesMismatch.WithTarget(Name, Name.Length, texts.Length), Name));
        }

        for (var i = 0; i < texts.Length; i++)
        {
            var guests = TargetsOf([texts[i]], withSessions: false);
            var name = Name.Length > 0 && guests.Count < 2 && !IsFileName(Name[i], texts[i]) ? Name[i] : null;
            foreach (var guest in guests)
            {
                Connect(name is null ? guest : guest with { Name = name });
            }
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _opening.Dispose();
    }

    // Objects of Get-ChildItem also have a Name: the session is named as if the path had been given.
    private bool IsFileName(string name, string text) =>
        !_isNameGiven && name == Path.GetFileName(text) && Path.GetExtension(name) is ".sock" or ".socket" or ".qga";

    private string[] OnHost()
    {
        try
        {
            var host = SshHosts.Of(HostName, UserName, Port, KeyFilePath, Options, Sudo, SessionState);
            return Array.ConvertAll(SocketPath, path => new SshEndpoint(host, path).ToString());
        }
        catch (FormatException e)
        {
            ThrowTerminatingError(ErrorRecords.Of(
                ErrorCatalogue.EndpointMalformed.Because(e, string.Join(", ", SocketPath), e.Message, SshEndpoint.Kind.Syntax), SocketPath));
            return [];
        }
        catch (GuestAgentException e)
        {
            ThrowTerminatingError(ErrorRecords.Of(e, HostName));
            return [];
        }
    }

    private void Connect(GuestTarget guest)
    {
        if (SessionRegistry.IsOpen(guest.Endpoint!) || (guest.Endpoint!.LockName is { } channel && !_channels.Add(channel)))
        {
            StartInOrder(guest, (_, _) => throw SessionRegistry.InUse(guest.Endpoint!));
            return;
        }

        StartInOrder(guest, (call, cancellationToken) => _opening.OpenAsync(
            guest.Name, GuestAgentSession.ConnectAsync(guest.Endpoint!, null, call, cancellationToken), call, cancellationToken));
    }
}
