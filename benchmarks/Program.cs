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
switch (args)
{
    // What Runs starts.
    case [Runs.Rows, var name]:
        await figures[name]();
        return 0;
    case [BusyCores.Spin, var priority]:
        BusyCores.SpinForever(priority);
        return 0;
}

var isQuick = args.Contains(Runs.Quick);
var asked = args.Where(argument => argument != Runs.Quick).ToList();
if (asked.FirstOrDefault(name => !figures.ContainsKey(name)) is { } unknown)
{
    Console.Error.WriteLine($"There is no figure '{unknown}'. There are: {string.Join(", ", figures.Keys)}, and {Runs.Quick}.");
    return 1;
}

await Runs.MeasureAsync(asked.Count > 0 ? asked : [.. figures.Keys], isQuick);
return 0;
