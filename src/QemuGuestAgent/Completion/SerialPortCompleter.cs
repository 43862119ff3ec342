using System.Collections;
using System.Runtime.InteropServices;
using Microsoft.Win32;

namespace QemuGuestAgent.Completion;

/// <summary>Completes the name of a serial port of this computer.</summary>
public sealed class SerialPortCompleter : NameCompleter
{
    private static readonly string[] Devices = ["ttyS*", "ttyUSB*", "ttyACM*", "ttyAMA*", "cu.*"];

    private protected override IEnumerable<(string Name, string Tip)> Offers(IDictionary bound) =>
        Ports().OrderBy(port => port.Length).ThenBy(port => port, StringComparer.Ordinal).Select(port => (port, "serial port"));

    private static IEnumerable<string> Ports()
    {
        if (RuntimeInformation.IsOSPlatform(OSPlatform.Windows))
        {
            using var ports = Registry.LocalMachine.OpenSubKey(@"HARDWARE\DEVICEMAP\SERIALCOMM");
            return ports?.GetValueNames().Select(name => $"{ports.GetValue(name)}").ToList() ?? [];
        }

        return Devices.SelectMany(pattern => Directory.GetFiles("/dev", pattern));
    }
}
