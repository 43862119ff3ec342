#if NET
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace QemuGuestAgent.Core.Endpoints.Libvirt;

/// <summary>libvirt's own library, which is loaded when it is first used: libvirt and libvirt-qemu, of 1.0 or later.</summary>
internal sealed class LibvirtLibrary : ILibvirt
{
    // The runtime asks for them by these names; the file names differ by system.
    private const string Base = "libvirt";
    private const string Qemu = "libvirt-qemu";

    // Kept alive because libvirt keeps it: without it libvirt prints every error.
    private static readonly ErrorHandler Silence = static (_, _) => { };

    private static readonly Lazy<bool> Initialized = new(Initialize);

    private delegate void ErrorHandler(nint data, nint error);

    /// <inheritdoc/>
    public ILibvirtConnection Connect(string? uri, bool readOnly)
    {
        _ = Initialized.Value;
        var name = uri is null ? null : Encode(uri);
        return new Connection(Checked(readOnly ? virConnectOpenReadOnly(name) : virConnectOpen(name)));
    }

    private static bool Initialize()
    {
        NativeLibrary.SetDllImportResolver(typeof(LibvirtLibrary).Assembly, Resolve);
        virSetErrorFunc(0, Silence);
        return virInitialize() == 0;
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        string[] files = name is Base or Qemu ? [$"{name}.so.0", $"{name}.0.dylib", $"/opt/homebrew/lib/{name}.0.dylib", $"{name}-0.dll"] : [];
        foreach (var file in files)
        {
            if (NativeLibrary.TryLoad(file, assembly, searchPath, out var library))
            {
                return library;
            }
        }

        return 0;
    }

    private static byte[] Encode(string text) => Encoding.UTF8.GetBytes(text + '\0');

    private static nint Checked(nint result) => result != 0 ? result : throw LastError();

    private static int Checked(int result) => result >= 0 ? result : throw LastError();

    // The error is that of the thread's last call.
    private static LibvirtException LastError()
    {
        var pointer = virGetLastError();
        if (pointer == 0)
        {
            return new LibvirtException(LibvirtError.Internal, "libvirt gives no reason");
        }

        var error = Marshal.PtrToStructure<Error>(pointer);
        return new LibvirtException(error.Code, Marshal.PtrToStringUTF8(error.Message) ?? "", error.Number1);
    }

    // The bytes of a string that libvirt has allocated and the caller frees.
    private static byte[] Take(nint text)
    {
        try
        {
            var bytes = new byte[strlen(text)];
            Marshal.Copy(text, bytes, 0, bytes.Length);
            return bytes;
        }
        finally
        {
            free(text);
        }
    }

    private sealed class Connection(nint handle) : ILibvirtConnection
    {
        private nint _handle = handle;

        public ILibvirtDomain FindDomain(string name) => new Domain(Checked(virDomainLookupByName(_handle, Encode(name))));

        public IReadOnlyList<string> DescribeActiveDomains()
        {
            const uint active = 1;
            var count = Checked(virConnectListAllDomains(_handle, out var domains, active));
            var descriptions = new List<string>();
            for (var i = 0; i < count; i++)
            {
                using var domain = new Domain(Marshal.ReadIntPtr(domains, i * IntPtr.Size));
                if (domain.Describe() is { } description)
                {
                    descriptions.Add(description);
                }
            }

            free(domains);
            return descriptions;
        }

        public void Dispose()
        {
            // A domain keeps its connection: it is closed with the last of both.
            if (Interlocked.Exchange(ref _handle, 0) is var connection && connection != 0)
            {
                _ = virConnectClose(connection);
            }
        }
    }

    private sealed class Domain(nint handle) : ILibvirtDomain
    {
        private nint _handle = handle;

        public bool IsActive => Checked(virDomainIsActive(_handle)) == 1;

        // Null where it has ended meanwhile.
        public string? Describe() => virDomainGetXMLDesc(_handle, 0) is var text && text != 0 ? Encoding.UTF8.GetString(Take(text)) : null;

        public byte[] SendAgentCommand(ReadOnlySpan<byte> command, int seconds)
        {
            byte[] text = [.. command, 0];
            return Take(Checked(virDomainQemuAgentCommand(_handle, text, seconds, 0)));
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _handle, 0) is var domain && domain != 0)
            {
                _ = virDomainFree(domain);
            }
        }
    }

    // struct _virError, as far as it is read.
    [StructLayout(LayoutKind.Sequential)]
    private struct Error
    {
        public LibvirtError Code;
        public int Domain;
        public nint Message;
        public int Level;
        public nint Connection;
        public nint DomainPointer;
        public nint Text1;
        public nint Text2;
        public nint Text3;
        public int Number1;
    }

    [DllImport(Base)]
    private static extern int virInitialize();

    [DllImport(Base)]
    private static extern void virSetErrorFunc(nint data, ErrorHandler handler);

    [DllImport(Base)]
    private static extern nint virGetLastError();

    [DllImport(Base)]
    private static extern nint virConnectOpen(byte[]? uri);

    [DllImport(Base)]
    private static extern nint virConnectOpenReadOnly(byte[]? uri);

    [DllImport(Base)]
    private static extern int virConnectClose(nint connection);

    [DllImport(Base)]
    private static extern int virConnectListAllDomains(nint connection, out nint domains, uint flags);

    [DllImport(Base)]
    private static extern nint virDomainLookupByName(nint connection, byte[] name);

    [DllImport(Base)]
    private static extern int virDomainIsActive(nint domain);

    [DllImport(Base)]
    private static extern nint virDomainGetXMLDesc(nint domain, uint flags);

    [DllImport(Base)]
    private static extern int virDomainFree(nint domain);

    [DllImport(Qemu)]
    private static extern nint virDomainQemuAgentCommand(nint domain, byte[] command, int seconds, uint flags);

    [DllImport("libc")]
    private static extern nint strlen(nint text);

    [DllImport("libc")]
    private static extern void free(nint memory);
}
#endif
