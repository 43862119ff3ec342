using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Processes;

/// <summary>What an exchange with an interactive process has brought.</summary>
/// <param name="Output">What it wrote to its standard output; empty where there is nothing now.</param>
/// <param name="IsBusy">Whether anything came or went.</param>
/// <param name="End">How it ended, once all that it wrote was read; otherwise null.</param>
internal readonly record struct InteractiveTurn(byte[] Output, bool IsBusy, GuestProcessResult? End);

/// <summary>The way to the input and output of a program in a guest, as its system has it.</summary>
internal abstract class InteractiveChannel
{
    /// <summary>Starts the program. Where that fails, it is closed like one that was started.</summary>
    /// <exception cref="Errors.GuestAgentException">Those of starting a program.</exception>
    public abstract Task StartAsync(OperationTime time, CancellationToken cancellationToken);

    /// <summary>Takes bytes for its standard input. From any thread.</summary>
    public abstract void Send(byte[] bytes);

    /// <summary>Takes note that the program has read the first bytes that were sent, so many of all. Not while a round goes on.</summary>
    public virtual void ConfirmRead(long count)
    {
    }

    /// <summary>One round both ways, with a sign of life where one is due.</summary>
    /// <exception cref="Errors.GuestAgentException">Those of a command.</exception>
    public abstract Task<InteractiveTurn> ExchangeAsync(CallOptions call, CancellationToken cancellationToken);

    /// <summary>Ends its input, waits a while for its end, kills it where that does not come, and removes what it had in the guest.</summary>
    /// <exception cref="Errors.GuestAgentException">Those of a command: then the guest does it, once it takes the host for gone.</exception>
    public abstract Task CloseAsync(OperationTime time);
}
