namespace HelpBuilder;

/// <summary>A cmdlet as its assembly and its doc comments describe it.</summary>
internal sealed record Cmdlet(
    string Name, string Synopsis, string DefaultSet, IReadOnlyList<CmdletParameter> Parameters, IReadOnlyList<string> Outputs)
{
    /// <summary>The parameter sets, the default one first.</summary>
    public IReadOnlyList<string> Sets
    {
        get
        {
            // The default one may have no parameter of its own.
            var named = Parameters.SelectMany(p => p.Uses.Keys).Where(set => set != CmdletParameter.AllSets).Distinct().Order(StringComparer.Ordinal);
            string[] sets = [.. named];
            return sets.Length > 0 ? [DefaultSet, .. sets.Where(set => set != DefaultSet)] : [CmdletParameter.AllSets];
        }
    }
}

/// <summary>A parameter of a cmdlet, with what it is in each parameter set.</summary>
internal sealed record CmdletParameter(
    string Name, string Description, string Type, string Default, bool IsSwitch, bool IsArray, bool Globs,
    IReadOnlyList<string> Aliases, IReadOnlyList<string> Values, IReadOnlyDictionary<string, ParameterUse> Uses)
{
    /// <summary>The name that stands for all parameter sets.</summary>
    public const string AllSets = "__AllParameterSets";

    /// <summary>What it is in a parameter set; null where it does not belong to it.</summary>
    public ParameterUse? In(string set) => Uses.GetValueOrDefault(set) ?? Uses.GetValueOrDefault(AllSets);
}

/// <summary>What a parameter is in a parameter set.</summary>
internal sealed record ParameterUse(bool IsMandatory, int? Position, bool FromPipeline, bool FromPipelineByName);
