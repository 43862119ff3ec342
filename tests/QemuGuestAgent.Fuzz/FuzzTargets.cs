namespace QemuGuestAgent.Fuzz;

/// <summary>What is fuzzed. Each takes any bytes, and throws where the code under test did wrong with them.</summary>
internal static class FuzzTargets
{
    public static readonly IReadOnlyDictionary<string, Action<byte[]>> All = new Dictionary<string, Action<byte[]>>
    {
        ["wire"] = input => WireTarget.Run(input),
        ["session"] = SessionTarget.Run,
        ["agent"] = AgentTarget.Run,
    };

    /// <summary>Throws where something that must hold does not.</summary>
    public static void Check(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException(what);
        }
    }
}
