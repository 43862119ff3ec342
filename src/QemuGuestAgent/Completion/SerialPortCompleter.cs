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

    private static List<string> Ports()
    {
        if (!RuntimeInformation.IsOSPlatform(OSPlatform.Windows))
        {
            return [.. Devices.SelectMany(pattern => Directory.GetFiles("/dev", pattern))];
        }

        var found = new List<string>();
        using var ports = Registry.LocalMachine.OpenSubKey(@"HARDWARE\DEVICEMAP\SERIALCOMM");
        foreach (var name in ports?.GetValueNames() ?? [])
        {
            found.Add($"{ports!.GetValue(name)}");
        }

        return found;
    }
}
