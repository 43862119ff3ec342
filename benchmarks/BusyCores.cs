using System.Diagnostics;

namespace QemuGuestAgent.Benchmarks;

/// <summary>A busy loop for each core, in processes of their own, as the guests of a hypervisor are; until it is disposed.</summary>
internal sealed class BusyCores : IDisposable
{
    /// <summary>The argument that makes this program such a loop.</summary>
    public const string Spin = "--spin";

    /// <summary>A priority.</summary>
    public const string Normal = nameof(ProcessPriorityClass.Normal), BelowNormal = nameof(ProcessPriorityClass.BelowNormal);

    private readonly List<Process> _loops = [];

    /// <summary>Starts them.</summary>
    /// <param name="priority">Their priority; null is for none of them.</param>
    public BusyCores(string? priority)
    {
        for (var i = 0; priority is not null && i < Environment.ProcessorCount; i++)
        {
            _loops.Add(Process.Start("dotnet", [typeof(BusyCores).Assembly.Location, Spin, priority]));
        }
    }

    /// <summary>Is one of them.</summary>
    public static void SpinForever(string priority)
    {
        using var self = Process.GetCurrentProcess();
        self.PriorityClass = Enum.Parse<ProcessPriorityClass>(priority);
        while (true)
        {
        }
    }

    public void Dispose() => _loops.ForEach(loop =>
    {
        loop.Kill();
        loop.Dispose();
    });
}
