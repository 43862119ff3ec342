using System.Collections.Concurrent;
using System.Management.Automation;
using QemuGuestAgent.Core.Endpoints.Finding;

namespace QemuGuestAgent.Cmdlets.Channel;

/// <summary>Finds the channels into the guests of this host, without opening any; Connect-QemuGuestAgent takes what it writes.</summary>
[Cmdlet(VerbsCommon.Find, "QemuGuestAgent")]
[OutputType("QemuGuestAgent.Channel")]
public sealed class FindQemuGuestAgent : PSCmdlet, IDisposable
{
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Names of virtual machines, with wildcards; all by default.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = ["*"];

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
        foreach (var channel in finding.Result.Where(found => names.Matches(found.Name)))
        {
            var result = PSObject.AsPSObject(channel);
            result.TypeNames.Insert(0, "QemuGuestAgent.Channel");
            WriteObject(result);
        }
    }

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();
}
