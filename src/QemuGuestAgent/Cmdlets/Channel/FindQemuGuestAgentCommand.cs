using System.Collections;
using System.Collections.Concurrent;
using System.Management.Automation;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Core.Endpoints.Finding;
using QemuGuestAgent.Core.Endpoints.Ssh;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Commands;

/// <summary>
/// Finds the channels into the guests of this host, or of hosts that ssh reaches, without opening them. Pipe its output to
/// Connect-QemuGuestAgent.
/// </summary>
[Cmdlet(VerbsCommon.Find, "QemuGuestAgent", DefaultParameterSetName = HereSet)]
[OutputType("QemuGuestAgent.Channel")]
[OutputType(typeof(FoundChannel))]
public sealed class FindQemuGuestAgentCommand : FanOutCmdlet
{
    private const string HereSet = "Here";
    private const string HostSet = "HostName";

    // Other users can start any number of them.
    private const int MaxNamed = 10;

    private readonly List<SshUse> _uses = [];
    private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Names of virtual machines, with wildcards; all by default.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = ["*"];

    /// <summary>
    /// Hosts to look at by ssh: names, addresses or aliases of ssh's configuration, as [user@]host[:port]. They need nothing but sshd and a
    /// shell. ssh must get in without a question: with a key.
    /// </summary>
    [Parameter(Mandatory = true, ParameterSetName = HostSet)]
    [ArgumentCompleter(typeof(SshHostCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] HostName { get; set; } = [];

    /// <summary>The user to log in as; by default as ssh's configuration says.</summary>
    [Parameter(ParameterSetName = HostSet)]
    [ValidateNotNullOrEmpty]
    public string? UserName { get; set; }

    /// <summary>The port of sshd; by default as ssh's configuration says.</summary>
    [Parameter(ParameterSetName = HostSet)]
    [ValidateRange(1, 65535)]
    public int Port { get; set; }

    /// <summary>The path of a private key; by default those of ssh's configuration and agent.</summary>
    [Parameter(ParameterSetName = HostSet)]
    [Alias("IdentityFilePath")]
    [ValidateNotNullOrEmpty]
    public string? KeyFilePath { get; set; }

    /// <summary>Further options of ssh, as in ssh_config: @{ ConnectTimeout = 5 }. Some start programs.</summary>
    [Parameter(ParameterSetName = HostSet)]
    [ValidateNotNull]
    public Hashtable? Options { get; set; }

    /// <summary>Looks, and lets endpoints be opened, by sudo -n on the host: for a user who may not use the sockets.</summary>
    [Parameter(ParameterSetName = HostSet)]
    public SwitchParameter Sudo { get; set; }

    /// <summary>
    /// Also writes channels that are controlled by users other than you, root and the hypervisor's own user, who can read what is sent
    /// there. IsTrusted is false for these.
    /// </summary>
    [Parameter]
    public SwitchParameter IncludeUntrusted { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => _names.UnionWith(Name);

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (ParameterSetName == HereSet)
        {
            // A libvirt that does not answer must not block the prompt.
            Start(new GuestTarget(Environment.MachineName, Environment.MachineName, null, null), (_, cancellationToken) =>
                FindAsync(tell => Task.Run(() => new ChannelFinder().Find(tell), cancellationToken), cancellationToken));
        }

        foreach (var text in HostName.Distinct(StringComparer.OrdinalIgnoreCase))
        {
            StartOn(text);
        }

        base.EndProcessing();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _uses.ForEach(use => use.Dispose());
    }

    private void StartOn(string text)
    {
        try
        {
            var host = SshHosts.Of(text, UserName, Port, KeyFilePath, Options, Sudo, SessionState);

            // Kept to the end of the pipeline: what opens the channels there uses the same connection.
            _uses.Add(SshConnection.Use(host));
            Start(new GuestTarget(text, host.HostName, null, null), async (call, cancellationToken) =>
            {
                using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                time.CancelAfter(call.Timeout > TimeSpan.Zero ? call.Timeout : Timeout.InfiniteTimeSpan);
                try
                {
                    return await FindAsync(tell => SshChannelFinder.FindAsync(host, tell, time.Token), time.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
                {
                    throw ErrorCatalogue.EndpointTimedOut.With(host, call.Timeout.TotalSeconds);
                }
            });
        }
        catch (GuestAgentException e)
        {
            WriteError(ErrorRecords.Of(e, text));
        }
    }

    private async Task<Action> FindAsync(
        Func<Action<string>, Task<IReadOnlyList<FoundChannel>>> find, CancellationToken cancellationToken)
    {
        var told = new ConcurrentQueue<string>();
        var found = await find(told.Enqueue).WaitAsync(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        return () =>
        {
            foreach (var text in told)
            {
                WriteVerbose(text);
            }

            Write(found);
        };
    }

    private void Write(IReadOnlyList<FoundChannel> all)
    {
        var names = new NameFilter([.. _names]);
        var found = all.Where(channel => names.Matches(channel.Name)).ToLookup(channel => channel.IsTrusted || IncludeUntrusted);
        foreach (var channel in found[true])
        {
            var result = PSObject.AsPSObject(channel);
            result.TypeNames.Insert(0, "QemuGuestAgent.Channel");
            WriteObject(result);
        }

        if (found[false].ToList() is { Count: > 0 } left)
        {
            WriteWarning("Channels that other users control are left out, because these users could read all traffic: "
                + string.Join(", ", left.Take(MaxNamed).Select(channel => $"'{channel.Name}' ({channel.Endpoint}, {channel.Owner})"))
                + (left.Count > MaxNamed ? $", and {left.Count - MaxNamed} more" : "")
                + ". Use -IncludeUntrusted to list them.");
        }
    }
}
