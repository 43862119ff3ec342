using System.Collections.Concurrent;
using System.Management.Automation;
using QemuGuestAgent.Core.Endpoints.Finding;

namespace QemuGuestAgent.Commands;

/// <summary>Finds the channels into the guests of this host, without opening any; Connect-QemuGuestAgent takes what it writes.</summary>
[Cmdlet(VerbsCommon.Find, "QemuGuestAgent")]
[OutputType("QemuGuestAgent.Channel")]
public sealed class FindQemuGuestAgentCommand : PSCmdlet, IDisposable
{
    // A user can start as many as he likes.
    private const int MaxNamed = 10;

    private readonly CancellationTokenSource _stop = new();

    /// <summary>Names of virtual machines, with wildcards; all by default.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = ["*"];

    /// <summary>
    /// Writes also what other users than root, the hypervisor's own user and yours have in hand, who see what is sent there; IsTrusted tells
    /// them.
    /// </summary>
    [Parameter]
    public SwitchParameter IncludeUntrusted { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        // A libvirt that does not answer must not hold the prompt.
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
            WriteWarning("Left out is what other users have in hand, who would see all that is sent there: "
                + string.Join(", ", left.Take(MaxNamed).Select(channel => $"'{channel.Name}' ({channel.Endpoint}, {channel.Owner})"))
                + (left.Count > MaxNamed ? $", and {left.Count - MaxNamed} more" : "")
                + ". -IncludeUntrusted lists it.");
        }
    }

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();
}
