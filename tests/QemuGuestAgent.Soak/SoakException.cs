namespace QemuGuestAgent.Soak;

/// <summary>Something that must not be.</summary>
/// <param name="text">What.</param>
/// <param name="isLost">Whether an answer or an execution is missing; otherwise one was wrong, or one too many.</param>
internal sealed class SoakException(string text, bool isLost = false) : Exception(text)
{
    public bool IsLost => isLost;
}
