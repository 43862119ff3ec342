using QemuGuestAgent.Core.Errors;
using Xunit.Sdk;

namespace QemuGuestAgent.Core.Tests.Errors;

/// <summary>What a test expects to fail, and how.</summary>
internal static class Failures
{
    // Decides nothing: it only turns a test that would hang for ever into one that fails.
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(3);

    public static Task OrHang(this Task task) => task.WaitAsync(Hang, CancellationToken.None);

    public static Task<T> OrHang<T>(this Task<T> task) => task.WaitAsync(Hang, CancellationToken.None);

    /// <summary>The task fails with the error of the catalogue, and says what to do about it.</summary>
    public static async Task<GuestAgentException> FailsWith(this Task task, ErrorDefinition expected)
    {
        var error = await Assert.ThrowsAsync<GuestAgentException>(() => task.OrHang());
        return error.ShouldBe(expected);
    }

    /// <summary>The task fails with the error of the catalogue, and says what to do about it. Where it succeeds, its result is told.</summary>
    public static async Task<GuestAgentException> FailsWith<T>(this Task<T> task, ErrorDefinition expected)
    {
        try
        {
            throw FailException.ForFailure($"{expected.Id} was expected, and this came: {await task.OrHang()}");
        }
        catch (GuestAgentException e)
        {
            return e.ShouldBe(expected);
        }
    }

    public static GuestAgentException ShouldBe(this GuestAgentException error, ErrorDefinition expected)
    {
        Assert.True(expected.Id == error.ErrorId, $"{expected.Id} was expected, and this came: {error}");
        Assert.Equal(expected.Category, error.Category);
        Assert.NotEmpty(error.RecommendedAction);
        Assert.NotNull(error.Target);
        return error;
    }
}
