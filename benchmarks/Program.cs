using QemuGuestAgent.Benchmarks;

var repository = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../.."));
var figures = new Dictionary<string, Func<Task>>
{
    ["roundtrip"] = RoundTrips.RunAsync,
    ["peers"] = Peers.RunAsync,
    ["files"] = FileFigures.RunAsync,
    ["trees"] = TreeFigures.RunAsync,
    ["terminal"] = TerminalFigures.RunAsync,
    ["ssh"] = SshFigures.RunAsync,
    ["windows"] = () => WindowsFigures.RunAsync(repository),
    ["powershell"] = () => PowerShellFigures.RunAsync(repository),
    ["remoting"] = () => PowerShellFigures.RunRemotingAsync(repository),
};
var asked = args.Length > 0 ? args : [.. figures.Keys];
if (asked.FirstOrDefault(name => !figures.ContainsKey(name)) is { } unknown)
{
    Console.Error.WriteLine($"There is no figure '{unknown}'. There are: {string.Join(", ", figures.Keys)}.");
    return 1;
}

Console.WriteLine($"{RealAgent.Program}, {Environment.ProcessorCount} cores, {System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription}\n");
Table.Head();
foreach (var name in asked)
{
    await figures[name]();
}

return 0;
