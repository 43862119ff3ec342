using QemuGuestAgent.Core.Tests.Endpoints;
using QemuGuestAgent.Core.Tests.Endpoints.Ssh;
using QemuGuestAgent.Core.Tests.Session;
using QemuGuestAgent.Core.Tests.Vm;
using Xunit.Runner.InProc.SystemConsole;

// The tests; or, as a process of its own, the client that a test kills, the host that a test sees ending.
return args switch
{
    [FreezingClient.Argument, var socket] => await FreezingClient.RunAsync(socket),
    [ExecHost.Argument, var end, var script] => await ExecHost.RunAsync(Enum.Parse<HostEnd>(end), script),
    [SlowReplyHost.Argument, var socket] => await SlowReplyHost.RunAsync(socket),
    [SshClientHost.Argument, var endpoint] => await SshClientHost.RunAsync(endpoint),
    _ => await ConsoleRunner.Run(args),
};
