using System.Collections.Concurrent;
using System.Management.Automation;
using QemuGuestAgent.Core.Endpoints.Finding;

namespace QemuGuestAgent.Commands;

/// <summary>Finds the channels into the guests of this host without opening them. Pipe its output to Connect-QemuGuestAgent.</summary>
[Cmdlet(VerbsCommon.Find, "QemuGuestAgent")]
[OutputType("QemuGuestAgent.Channel")]
[OutputType(typeof(FoundChannel))]
public sealed class FindQemuGuestAgentCommand : PSCmdlet, IDisposable
{
    // Other users can start any number of them.
    private const int MaxNamed = 10;

    private readonly CancellationTokenSource _stop = new();

    /// <summary>Names of virtual machines, with wildcards; all by default.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = ["*"];

    /// <summary>
    /// Also writes channels that are controlled by users other than you, root and the hypervisor's own user, who can read what is sent
    /// there. IsTrusted is false for these.
    /// </summary>
    [Parameter]
    public SwitchParameter IncludeUntrusted { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        // A libvirt that does not answer must not block the prompt.
        var told = new ConcurrentQueue<string>();
        var finding = Task.Run(() => new ChannelFinder().Find(told.Enqueue));
        try
        {
            finding.Wait(_stop.Token);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        foreach (var text in told)
        {
            WriteVerbose(text);
        }

        var names = new NameFilter(Name);
        var found = finding.Result.Where(channel => names.Matches(channel.Name)).ToLookup(channel => channel.IsTrusted || IncludeUntrusted);
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

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();
}
