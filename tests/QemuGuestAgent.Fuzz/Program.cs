using QemuGuestAgent.Fuzz;
using SharpFuzz;

// Runs a target on its standard input: once, or again and again under afl-fuzz. tests/tools/fuzz.sh starts that, and keeps the corpus.
// What was found crashing is looked at with: dotnet run --project tests/QemuGuestAgent.Fuzz -- wire < file
if (args is not [var name] || !FuzzTargets.All.TryGetValue(name, out var target))
{
    Console.Error.WriteLine($"Usage: QemuGuestAgent.Fuzz {string.Join('|', FuzzTargets.All.Keys)}");
    return 1;
}

Fuzzer.Run(stream =>
{
    using var input = new MemoryStream();
    stream.CopyTo(input);
    target(input.ToArray());
});
return 0;
