using System.Globalization;
using QemuGuestAgent.Soak;

// Round trips, connects and faults without end, each answer compared with the right one; memory, handles, threads and timers must stay.
var numbers = new Dictionary<string, int>
{
    ["--round-trips"] = 1_000_000,
    ["--connects"] = 100_000,
    ["--faults"] = 200_000,
    ["--seed"] = Random.Shared.Next(1_000_000_000),
};
for (var i = 0; i < args.Length; i += 2)
{
    if (!numbers.ContainsKey(args[i]) || i + 1 == args.Length
        || !int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
    {
        Console.Error.WriteLine($"Usage: {string.Join(' ', numbers.Select(n => $"[{n.Key} {n.Value}]"))}");
        return 2;
    }

    numbers[args[i]] = number;
}

var seed = numbers["--seed"];
Console.WriteLine($"Seed {seed}; {Environment.ProcessorCount} cores, {System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription}\n");
Part[] parts =
[
    new("round trips over one session", numbers["--round-trips"] / 4 * 3, part => RoundTrips.OverOneSessionAsync(part, seed)),
    new("round trips over four sessions with two callers each", numbers["--round-trips"] / 4, part => RoundTrips.OverSeveralAsync(part, seed)),
    new("connects", numbers["--connects"], Connects.RunAsync),
    new("faults", numbers["--faults"], part => Faults.RunAsync(part, seed)),
];
Console.WriteLine(Part.Head);
foreach (var part in parts.Where(part => part.Planned > 0))
{
    await part.RunAsync();
    Console.WriteLine(part);
}

var failures = parts.SelectMany(part => part.Failures).ToList();
failures.ForEach(failure => Console.WriteLine($"\n{failure}"));
Console.WriteLine(failures.Count == 0 ? "\nNothing wrong, nothing lost, nothing grown." : "\nFAILED");
return failures.Count == 0 ? 0 : 1;
