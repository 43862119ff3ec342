using QemuGuestAgent.Core.Tests.Vm;
using Xunit.Runner.InProc.SystemConsole;

// The tests; or, as a process of its own, the client that a test kills.
return args is [FreezingClient.Argument, var socket] ? await FreezingClient.RunAsync(socket) : await ConsoleRunner.Run(args);
