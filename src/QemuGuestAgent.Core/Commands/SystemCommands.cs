using System.Globalization;
using System.Text.Json;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Commands;

/// <summary>A guest's operating system, as reported by os-release(5) and uname(2), or by Windows.</summary>
/// <param name="Id">Its short name: debian, rhel; mswindows for Windows.</param>
/// <param name="Name">Its name without a version.</param>
/// <param name="PrettyName">Its name with its version, for people.</param>
/// <param name="Version">Its version, for people.</param>
/// <param name="VersionId">Its version, for programs.</param>
/// <param name="Variant">Its edition: server or client for Windows.</param>
/// <param name="VariantId">Its edition, for programs.</param>
/// <param name="KernelRelease">The kernel's release; the build number for Windows.</param>
/// <param name="KernelVersion">How the kernel was built; the version number for Windows.</param>
/// <param name="Machine">The architecture, such as x86_64.</param>
public sealed record GuestOperatingSystem(
    string? Id, string? Name, string? PrettyName, string? Version, string? VersionId, string? Variant, string? VariantId,
    string? KernelRelease, string? KernelVersion, string? Machine)
{
    /// <summary>The common form of the kernel version: 6.12.48-amd64, or 10.0.20348 for Windows.</summary>
    public string? Kernel => Id == WindowsNames.Id && KernelVersion is not null && KernelRelease is not null
        ? $"{KernelVersion}.{KernelRelease}"
        : KernelRelease;

    /// <summary>The name with its version, as far as the guest reports them.</summary>
    public override string ToString() => PrettyName ?? Name ?? Id ?? "";
}

/// <summary>The average number of processes that were running or waiting.</summary>
public sealed class GuestLoad(double? oneMinute, double? fiveMinutes, double? fifteenMinutes)
{
    /// <summary>Over the last minute, or null.</summary>
    public double? OneMinute { get; } = oneMinute;

    /// <summary>Over the last 5 minutes, or null.</summary>
    public double? FiveMinutes { get; } = fiveMinutes;

    /// <summary>Over the last 15 minutes, or null.</summary>
    public double? FifteenMinutes { get; } = fifteenMinutes;

    /// <summary>The three averages, as 0.25, 0.13, 0.05.</summary>
    public override string ToString() => string.Join(", ", new[] { OneMinute, FiveMinutes, FifteenMinutes }.Select(Text));

    private static string Text(double? load) => load?.ToString("0.00", CultureInfo.InvariantCulture) ?? "?";
}

/// <summary>A user who is logged in to a guest.</summary>
public sealed class GuestUser(string userName, string? domain, DateTime? loginTime)
{
    /// <summary>The account's name.</summary>
    public string UserName { get; } = userName;

    /// <summary>The account's domain, or null where there is none (all but Windows).</summary>
    public string? Domain { get; } = domain;

    /// <summary>When the user logged in first, in UTC, or null.</summary>
    public DateTime? LoginTime { get; } = loginTime;

    /// <summary>The account's name, with its domain where it has one.</summary>
    public override string ToString() => Domain is null ? UserName : $@"{Domain}\{UserName}";
}

/// <summary>The commands about a guest as a whole.</summary>
public static class SystemCommands
{
    /// <summary>Gets the guest's host name (guest-get-host-name, QEMU 2.10); null where the reply has none.</summary>
    /// <inheritdoc cref="GuestAgentSession.InvokeAsync{T}"/>
    public static Task<string?> GetHostNameAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        session.AskAsync("guest-get-host-name", reply => reply.Text("host-name"), call, cancellationToken);

    /// <summary>Gets the guest's operating system (guest-get-osinfo, QEMU 2.10).</summary>
    /// <inheritdoc cref="GuestAgentSession.InvokeAsync{T}"/>
    public static Task<GuestOperatingSystem> GetOperatingSystemAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        session.AskAsync("guest-get-osinfo", ParseOperatingSystem, call, cancellationToken);

    /// <summary>Gets the guest's load (guest-get-load, QEMU 10.0).</summary>
    /// <inheritdoc cref="GuestAgentSession.InvokeAsync{T}"/>
    public static Task<GuestLoad> GetLoadAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        session.AskAsync("guest-get-load", ParseLoad, call, cancellationToken);

    /// <summary>Gets the logged-in users (guest-get-users, QEMU 2.10).</summary>
    /// <inheritdoc cref="GuestAgentSession.InvokeAsync{T}"/>
    public static Task<IReadOnlyList<GuestUser>> GetUsersAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        session.QueryListAsync("guest-get-users", ParseUser, call, cancellationToken);

    internal static GuestOperatingSystem ParseOperatingSystem(JsonElement reply) => WindowsNames.Correct(new(
        reply.Text("id"),
        reply.Text("name"),
        reply.Text("pretty-name"),
        reply.Text("version"),
        reply.Text("version-id"),
        reply.Text("variant"),
        reply.Text("variant-id"),
        reply.Text("kernel-release"),
        reply.Text("kernel-version"),
        reply.Text("machine")));

    internal static GuestLoad ParseLoad(JsonElement reply) =>
        new(reply.Real("load1m"), reply.Real("load5m"), reply.Real("load15m"));

    internal static GuestUser ParseUser(JsonElement item) => new(
        item.Text("user") ?? "",
        item.Text("domain"),
        item.Real("login-time") is { } seconds ? UnixTime.FromSeconds(seconds) : null);
}
