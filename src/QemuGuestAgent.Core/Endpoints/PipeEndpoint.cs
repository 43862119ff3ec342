using System.IO.Pipes;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>A named pipe on this computer, as offered by <c>-chardev pipe,path=name</c> of QEMU on Windows. On Unix, .NET's own.</summary>
public sealed class PipeEndpoint : GuestAgentEndpoint
{
    /// <summary>The kind in the grammar.</summary>
    public static readonly EndpointKind Kind = new("pipe", @"pipe:name (or pipe:\\.\pipe\name)", Parse);

    private const string Folder = @"\\.\pipe\";

    /// <summary>Creates an endpoint for a pipe.</summary>
    /// <param name="name">The name, without a folder.</param>
    /// <exception cref="FormatException">It is not a valid pipe name.</exception>
    public PipeEndpoint(string name)
    {
        if (name.Length == 0)
        {
            throw new FormatException("it has no name");
        }

        if (name.IndexOfAny(['/', '\\', '\0']) >= 0)
        {
            throw new FormatException("its name contains a slash or a NUL character");
        }

        PipeName = name;
    }

    /// <summary>The pipe's name.</summary>
    public string PipeName { get; }

    /// <inheritdoc/>
    internal override string LockName => ToString();

    /// <inheritdoc/>
    public override async Task<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        NamedPipeClientStream? pipe = null;
        try
        {
            pipe = new NamedPipeClientStream(".", PipeName, PipeDirection.InOut, PipeOptions.Asynchronous);

            // One attempt: .NET's wait does not distinguish a busy pipe from a missing one.
            await pipe.ConnectAsync(0, cancellationToken).ConfigureAwait(false);
            return pipe;
        }
        catch (Exception e) when (Explain(e) is { } error)
        {
            pipe?.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw error;
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Kind.Scheme}:{PipeName}";

    private static PipeEndpoint Parse(string rest) =>
        new(rest.StartsWith(Folder, StringComparison.OrdinalIgnoreCase) ? rest.Substring(Folder.Length) : rest);

    private GuestAgentException? Explain(Exception e) => e switch
    {
        TimeoutException when !Exists() => ErrorCatalogue.EndpointNotFound.Because(e, this),
        TimeoutException => (IsWindows ? ErrorCatalogue.EndpointBacklogFull : ErrorCatalogue.EndpointRefused).Because(e, this),
        UnauthorizedAccessException or SocketException { SocketErrorCode: SocketError.AccessDenied } => ErrorCatalogue.EndpointAccessDenied.Because(
            e, this, "this account has no access to the pipe", "run as the account that QEMU runs as, or elevated"),
        IOException or SocketException or ArgumentException => ErrorCatalogue.EndpointUnreachable.Because(e, this, e.Message),
        _ => null,
    };

    private static bool IsWindows => Path.DirectorySeparatorChar == '\\';

    // The wait, of at most a millisecond, does not connect; checking the pipe's path would.
    private bool Exists()
    {
        const int fileNotFound = 2;
        return IsWindows
            ? WaitNamedPipe(Folder + PipeName, 1) || Marshal.GetLastWin32Error() != fileNotFound
            : File.Exists(Path.Combine(Path.GetTempPath(), "CoreFxPipe_" + PipeName));
    }

    [DllImport("kernel32", CharSet = CharSet.Unicode, SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool WaitNamedPipe(string name, uint milliseconds);
}
