using System.Text.Json;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Commands;

/// <summary>A device of a Windows guest and its driver.</summary>
public sealed class GuestDevice(
    string driverName, string? driverVersion, DateTime? driverDate, string? idType, long? vendorId, long? deviceId)
{
    /// <summary>The driver's name.</summary>
    public string DriverName { get; } = driverName;

    /// <summary>The driver's version, or null.</summary>
    public string? DriverVersion { get; } = driverVersion;

    /// <summary>When the driver was released, in UTC, or null.</summary>
    public DateTime? DriverDate { get; } = driverDate;

    /// <summary>The kind of the device's id: pci is the only one so far; null where the device has none.</summary>
    public string? IdType { get; } = idType;

    /// <summary>The maker's number on the PCI bus, or null.</summary>
    public long? VendorId { get; } = vendorId;

    /// <summary>The device's number, given by its maker, or null.</summary>
    public long? DeviceId { get; } = deviceId;

    /// <summary>The driver and the device, as Red Hat VirtIO Ethernet Adapter [1af4:1000].</summary>
    public override string ToString() =>
        VendorId is null || DeviceId is null ? DriverName : $"{DriverName} [{VendorId:x4}:{DeviceId:x4}]";
}

/// <summary>The command about a guest's devices.</summary>
public static class DeviceCommands
{
    /// <summary>Gets the devices of a Windows guest (guest-get-devices, QEMU 5.2).</summary>
    /// <inheritdoc cref="GuestAgentSession.InvokeAsync{T}"/>
    public static Task<IReadOnlyList<GuestDevice>> GetDevicesAsync(
        this GuestAgentSession session, CallOptions? call = null, CancellationToken cancellationToken = default) =>
        session.QueryListAsync("guest-get-devices", ParseDevice, call, cancellationToken);

    internal static GuestDevice ParseDevice(JsonElement item)
    {
        var id = item.Object("id");
        return new GuestDevice(
            item.Text("driver-name") ?? "",
            item.Text("driver-version"),
            item.Number("driver-date") is { } nanoseconds ? UnixTime.FromNanoseconds(nanoseconds) : null,
            id?.Text("type"),
            id?.Size("vendor-id"),
            id?.Size("device-id"));
    }
}
