using System.Text;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Operations.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Operations;

/// <summary>What operations ask of a guest's system, with the programs that it has.</summary>
internal static class GuestTools
{
    /// <summary>Whether the guest is Windows; not so where the agent does not tell (before QEMU 2.10, or by policy).</summary>
    public static async Task<bool> IsWindowsAsync(
        GuestAgentSession session, OperationTime time, CancellationToken cancellationToken)
    {
        var asking = session.GetOperatingSystemAsync(time.Command(), cancellationToken);
        return (await asking.OrDefaultIfRefused().ConfigureAwait(false))?.Id == "mswindows";
    }

    /// <summary>The environment that the agent gives its children, each as NAME=value.</summary>
    public static async Task<IReadOnlyList<string>> GetEnvironmentAsync(
        GuestAgentSession session, bool isWindows, OperationTime time, CancellationToken cancellationToken)
    {
        // With /u what cmd itself prints is UTF-16, whatever the code page. Each variable is a line; cmd's own start with '='.
        var tool = isWindows ? new GuestExecution("cmd.exe", "/d", "/u", "/c", "set") : new GuestExecution("env", "-0");
        var result = await RunToolAsync(session, tool, time, cancellationToken).ConfigureAwait(false);
        if (result.ExitCode != 0)
        {
            throw ErrorCatalogue.EnvironmentUnknown.With(
                session.Endpoint, tool.Path, Encoding.UTF8.GetString(result.Errors));
        }

        var text = (isWindows ? Encoding.Unicode : Encoding.UTF8).GetString(result.Output);
        var variables = isWindows ? text.Split(["\r\n"], StringSplitOptions.None) : text.Split('\0');
        return [.. variables.Where(variable => variable.IndexOf('=') > 0)];
    }

    /// <summary>Runs a program that ends by itself, soon.</summary>
    public static async Task<GuestExecutionStatus> RunToolAsync(
        GuestAgentSession session, GuestExecution tool, OperationTime time, CancellationToken cancellationToken)
    {
        var process = await GuestProcess.StartAsync(session, tool, time, cancellationToken).ConfigureAwait(false);
        return await process.WaitForStatusAsync(time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs a program that must not go on once it is given up: it is killed then.</summary>
    public static async Task<GuestExecutionStatus> RunGuardedToolAsync(
        GuestAgentSession session, GuestExecution tool, OperationTime time, CancellationToken cancellationToken)
    {
        var process = await GuestProcess.StartAsync(session, tool, time, cancellationToken).ConfigureAwait(false);
        return await process.GuardAsync(
            () => process.WaitForStatusAsync(time, cancellationToken), keepsOnTimeOut: false, time).ConfigureAwait(false);
    }
}
