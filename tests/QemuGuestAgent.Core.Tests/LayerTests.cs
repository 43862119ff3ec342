using ArchUnitNET.Domain;
using ArchUnitNET.Fluent;
using ArchUnitNET.Loader;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Tests;

/// <summary>Each folder of Core uses only itself and those before it in this list.</summary>
public sealed class LayerTests
{
    private static readonly string[] Layers = ["Errors", "Schema", "Wire", "Endpoints", "Session", "Commands", "Guests", "Operations"];

    private static readonly Architecture Core = new ArchLoader().LoadAssemblies(typeof(GuestAgentSession).Assembly).Build();

    public static TheoryData<string> LayersAbove => [.. Layers.SkipLast(1)];

    [Theory]
    [MemberData(nameof(LayersAbove))]
    public void A_layer_uses_only_those_before_it(string layer)
    {
        var rule = ArchRuleDefinition.Types().That().ResideInNamespaceMatching(Pattern(layer))
            .Should().NotDependOnAny(
                ArchRuleDefinition.Types().That().ResideInNamespaceMatching(Pattern([.. Layers.SkipWhile(other => other != layer).Skip(1)])));
        Assert.Empty(rule.Evaluate(Core).Where(result => !result.Passed).Select(result => result.Description));
    }

    [Fact]
    public void Every_namespace_is_a_layer() => Assert.Equal(
        Layers.Order(StringComparer.Ordinal),
        Core.Types.Select(type => type.FullName.Split('.')).Where(name => name is ["QemuGuestAgent", "Core", _, _, ..])
            .Select(name => name[2]).Distinct().Order(StringComparer.Ordinal));

    private static string Pattern(params string[] layers) => $@"^QemuGuestAgent\.Core\.({string.Join('|', layers)})(\.|$)";
}
