using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace QemuGuestAgent.Module.Tests;

/// <summary>
/// On Windows the runtime looks at the value types in the signatures of a type's virtual methods when it loads the type (it may be
/// equivalent to another). The engine loads all public types before the module can find its dependencies.
/// </summary>
public sealed class SignatureTests
{
    [Theory]
    [MemberData(nameof(Layout.Editions), MemberType = typeof(Layout))]
    public void No_virtual_method_names_a_value_type_of_a_dependency(string edition)
    {
        var dependencies = Directory.GetFiles(Path.Combine(Layout.Module, "bin", edition, "Dependencies"), "*.dll")
            .Select(path => Path.GetFileNameWithoutExtension(path)).ToHashSet();
        using var file = new PEReader(File.OpenRead(Path.Combine(Layout.Module, "bin", edition, "QemuGuestAgent.dll")));
        var reader = file.GetMetadataReader();
        var methods = reader.MethodDefinitions.Select(reader.GetMethodDefinition).Where(method => method.Attributes.HasFlag(MethodAttributes.Virtual)).ToList();
        Assert.NotEmpty(methods);
        Assert.Empty(methods
            .Select(method => (Method: Name(reader, method), Types: method.DecodeSignature(new ValueTypes(dependencies), null) is var signature
                ? signature.ParameterTypes.Prepend(signature.ReturnType).SelectMany(types => types) : []))
            .Where(found => found.Types.Any())
            .Select(found => $"{found.Method}: {string.Join(", ", found.Types)}"));
    }

    private static string Name(MetadataReader reader, MethodDefinition method) =>
        $"{reader.GetString(reader.GetTypeDefinition(method.GetDeclaringType()).Name)}.{reader.GetString(method.Name)}";

    // The value types of some assemblies that a signature names, at any depth.
    private sealed class ValueTypes(HashSet<string> assemblies) : ISignatureTypeProvider<IEnumerable<string>, object?>
    {
        public IEnumerable<string> GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind)
        {
            var type = reader.GetTypeReference(handle);
            var name = reader.GetString(type.Name);
            while (type.ResolutionScope.Kind == HandleKind.TypeReference)
            {
                type = reader.GetTypeReference((TypeReferenceHandle)type.ResolutionScope);
            }

            var assembly = reader.GetString(reader.GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope).Name);
            return rawTypeKind == (byte)SignatureTypeKind.ValueType && assemblies.Contains(assembly) ? [$"{assembly}'s {name}"] : [];
        }

        public IEnumerable<string> GetGenericInstantiation(IEnumerable<string> genericType, ImmutableArray<IEnumerable<string>> typeArguments) =>
            typeArguments.Prepend(genericType).SelectMany(types => types);

        public IEnumerable<string> GetFunctionPointerType(MethodSignature<IEnumerable<string>> signature) =>
            signature.ParameterTypes.Prepend(signature.ReturnType).SelectMany(types => types);

        public IEnumerable<string> GetTypeFromSpecification(
            MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
            reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

        public IEnumerable<string> GetArrayType(IEnumerable<string> elementType, ArrayShape shape) => elementType;

        public IEnumerable<string> GetSZArrayType(IEnumerable<string> elementType) => elementType;

        public IEnumerable<string> GetByReferenceType(IEnumerable<string> elementType) => elementType;

        public IEnumerable<string> GetPointerType(IEnumerable<string> elementType) => elementType;

        public IEnumerable<string> GetPinnedType(IEnumerable<string> elementType) => elementType;

        public IEnumerable<string> GetModifiedType(IEnumerable<string> modifier, IEnumerable<string> unmodifiedType, bool isRequired) =>
            modifier.Concat(unmodifiedType);

        public IEnumerable<string> GetPrimitiveType(PrimitiveTypeCode typeCode) => [];

        public IEnumerable<string> GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) => [];

        public IEnumerable<string> GetGenericMethodParameter(object? genericContext, int index) => [];

        public IEnumerable<string> GetGenericTypeParameter(object? genericContext, int index) => [];
    }
}
