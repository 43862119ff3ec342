using System.Text.Json;

namespace QemuGuestAgent.Core.Tests;

/// <summary>Compares objects by the values of their public properties, and lists of them in order.</summary>
internal static class Same
{
    public static void As(object expected, object? actual) => Assert.Equal(JsonSerializer.Serialize(expected), JsonSerializer.Serialize(actual));
}
