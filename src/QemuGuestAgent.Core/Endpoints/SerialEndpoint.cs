using System.Globalization;
#if NET
using System.ComponentModel;
#endif
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>A serial port, or a pseudo terminal such as QEMU's <c>-chardev pty</c> creates: raw, 8 bits, no flow control. Linux only.</summary>
public sealed class SerialEndpoint : GuestAgentEndpoint
{
    /// <summary>The kind in the grammar.</summary>
    public static readonly EndpointKind Kind = new("serial", "serial:/dev/ttyS0[?baud=38400]", Parse);

    /// <summary>The speed that the agent sets at its own end (QEMU qga/channel-posix.c); a pseudo terminal has none.</summary>
    public const int DefaultBaud = 38400;

    private const string BaudOption = "baud";

    // Linux's codes for the speeds (asm-generic/termbits.h).
    private static readonly Dictionary<int, uint> Speeds = new()
    {
        [1200] = 9, [2400] = 11, [4800] = 12, [9600] = 13, [19200] = 14, [38400] = 15, [57600] = 0x1001, [115200] = 0x1002,
        [230400] = 0x1003, [460800] = 0x1004, [500000] = 0x1005, [576000] = 0x1006, [921600] = 0x1007, [1000000] = 0x1008,
        [1152000] = 0x1009, [1500000] = 0x100A, [2000000] = 0x100B, [2500000] = 0x100C, [3000000] = 0x100D, [3500000] = 0x100E,
        [4000000] = 0x100F,
    };

    /// <summary>Creates an endpoint for a port.</summary>
    /// <param name="device">The absolute path of its device.</param>
    /// <param name="baud">Its speed, in bits a second.</param>
    /// <exception cref="FormatException">The path is not one of a device, or the speed is none that ports have.</exception>
    public SerialEndpoint(string device, int baud = DefaultBaud)
    {
        if (device.Length == 0 || device[0] != '/' || device.IndexOfAny(['\0', '?']) >= 0)
        {
            throw new FormatException("it has no absolute device path");
        }

        if (!Speeds.ContainsKey(baud))
        {
            throw new FormatException($"its speed {baud} is not one of {string.Join(", ", Speeds.Keys)}");
        }

        Device = device;
        Baud = baud;
    }

    /// <summary>The absolute path of the device.</summary>
    public string Device { get; }

    /// <summary>The speed, in bits a second.</summary>
    public int Baud { get; }

    /// <inheritdoc/>
    internal override string LockName => $"{Kind.Scheme}:{RealPath.Of(Device)}";

    /// <inheritdoc/>
    public override Task<Stream> OpenAsync(CancellationToken cancellationToken) => Task.Run(Open, cancellationToken);

    /// <inheritdoc/>
    public override string ToString() => $"{Kind.Scheme}:{Device}" + (Baud == DefaultBaud ? "" : $"?{BaudOption}={Baud}");

    /// <summary>Opens the port, on this thread.</summary>
    internal Stream Open()
    {
#if NET
        if (OperatingSystem.IsLinux())
        {
            try
            {
                return new TerminalStream(Device, Speeds[Baud]);
            }
            catch (Win32Exception e)
            {
                throw Explain(e);
            }
        }
#endif
        throw ErrorCatalogue.EndpointNotSupported.With(this, "serial ports are supported on Linux only");
    }

    private static SerialEndpoint Parse(string rest)
    {
        var parts = rest.Split(['?'], 2);
        if (parts.Length == 1)
        {
            return new SerialEndpoint(rest);
        }

        return parts[1].Split('=') is [BaudOption, var text]
            && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var baud)
            ? new SerialEndpoint(parts[0], baud)
            : throw new FormatException($"its option '{parts[1]}' is not {BaudOption}=number");
    }

#if NET
    // By the errno of Linux.
    private GuestAgentException Explain(Win32Exception e) => e.NativeErrorCode switch
    {
        2 => ErrorCatalogue.EndpointNotFound.Because(e, this),
        1 or 13 => ErrorCatalogue.EndpointAccessDenied.Because(
            e, this, "this account may not open the device", $"join the group of '{Device}', often dialout or tty"),
        16 => ErrorCatalogue.EndpointBacklogFull.Because(e, this),
        25 => ErrorCatalogue.EndpointUnreachable.Because(e, this, "it is not a serial port"),
        _ => ErrorCatalogue.EndpointUnreachable.Because(e, this, e.Message),
    };
#endif
}
