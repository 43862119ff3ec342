using System.Collections;
using System.Reflection;

namespace QemuGuestAgent.Module.Tests;

/// <summary>What cmdlets write is plain: what PowerShell shows, completes and exports of an object is what a user wants of it.</summary>
public sealed class OutputTests(ModuleMetadata module) : IClassFixture<ModuleMetadata>
{
    private static readonly string[] OfRecords = ["<Clone>$", "Deconstruct", "PrintMembers"];

    // PowerShell finds these on an array before it looks at the items.
    private static readonly HashSet<string> OfArrays =
        [.. typeof(Array).GetMembers().Select(member => member.Name), "Address", "Get", "Set"];

    [Fact]
    public void Each_object_of_ours_says_by_which_type_completion_knows_it() =>
        Assert.All(module.Cmdlets, cmdlet =>
        {
            var outputs = ModuleMetadata.Outputs(cmdlet).ToList();
            Assert.Equal(
                outputs.Count(output => output is string), outputs.OfType<Type>().Count(type => IsCore(type)));
        });

    [Fact]
    public void No_record_is_written_and_each_object_has_a_text() =>
        Assert.All(Written(), type =>
        {
            Assert.DoesNotContain(type.GetMethods(BindingFlags.Public | BindingFlags.Instance), method => OfRecords.Contains(method.Name));
            Assert.Equal(type, type.GetMethod("ToString", Type.EmptyTypes)!.DeclaringType);
        });

    [Fact]
    public void Lists_are_arrays_and_no_property_can_be_set() =>
        Assert.All(Written().SelectMany(type => type.GetProperties()), property =>
        {
            Assert.True(property.PropertyType.IsArray || property.PropertyType.Name == "String" || !IsList(property.PropertyType), $"{property}");
            Assert.NotEqual(true, property.SetMethod?.IsPublic);
        });

    [Fact]
    public void A_property_of_many_objects_is_found_on_their_array_too() =>
        Assert.All(Written().SelectMany(type => type.GetProperties()), property =>
            Assert.True(!OfArrays.Contains(property.Name) || property.Name == nameof(Array.Length), $"{property.DeclaringType}.{property.Name}"));

    // The types of our own that a cmdlet writes, and those of their properties.
    private HashSet<Type> Written()
    {
        var found = new HashSet<Type>();
        var next = new Queue<Type>(module.Cmdlets.SelectMany(ModuleMetadata.Outputs).OfType<Type>());
        while (next.TryDequeue(out var type))
        {
            var item = type.GetElementType() ?? type;
            if (item.Namespace?.StartsWith("QemuGuestAgent", StringComparison.Ordinal) == true && !item.IsEnum && found.Add(item))
            {
                item.GetProperties().ToList().ForEach(property => next.Enqueue(property.PropertyType));
            }
        }

        Assert.True(found.Count > 25);
        return found;
    }

    private static bool IsCore(Type type) => type.Assembly.GetName().Name == "QemuGuestAgent.Core";

    private static bool IsList(Type type) => type.GetInterfaces().Any(parent => parent.FullName == typeof(IEnumerable).FullName);
}
