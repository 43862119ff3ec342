#if NET
using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace QemuGuestAgent.Core.Endpoints.Ssh;

/// <summary>A master connection of ssh, with a folder of this user's for its sockets.</summary>
internal sealed class SshMaster : IDisposable
{
    private const string FolderName = "ssh-";

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    // macOS' sockets have the shortest paths; ssh binds a name with 17 more characters first.
    private const int MaxPathBytes = 103 - 17;

    private static readonly Lazy<string?> Own = new(FindOwn);

    private readonly SshHost _host;
    private readonly ProcessStream _ssh;
    private readonly string _folder;
    private readonly Task _end;
    private readonly ConcurrentDictionary<string, Lazy<Task<string?>>> _forwarded = new(StringComparer.Ordinal);
    private int _sockets;

    private SshMaster(SshHost host, ProcessStream ssh, string folder, Task end) => (_host, _ssh, _folder, _end) = (host, ssh, folder, end);

    /// <summary>Whether this computer can have one: Windows' client has no sockets to share a connection by.</summary>
    public static bool IsPossible { get; } = Own.Value is not null && Encoding.UTF8.GetByteCount(ControlIn(FolderOf(SshClient.RandomWord()))) <= MaxPathBytes;

    /// <summary>The path of its socket, which commands go through.</summary>
    public string Control => ControlIn(_folder);

    /// <summary>Whether it has ended.</summary>
    public bool HasEnded => _end.IsCompleted;

    /// <summary>Starts one, and waits until it is logged in.</summary>
    /// <exception cref="ProcessEndedException">It has ended.</exception>
    public static async Task<SshMaster> StartAsync(SshHost host, object target, bool asks, CancellationToken cancellationToken)
    {
        var folder = CreateFolder();
        ProcessStream? ssh = null;
        try
        {
            ssh = SshClient.StartMaster(host, target, folder, ControlIn(folder), asks);

            // It says nothing: the end of its output is its end.
            var end = ssh.ReadAsync(new byte[1], 0, 1, CancellationToken.None);
            while (!File.Exists(ControlIn(folder)))
            {
                await Task.WhenAny(end, Task.Delay(Poll, cancellationToken)).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                if (end.IsCompleted)
                {
                    await end.ConfigureAwait(false);
                }
            }

            return new SshMaster(host, ssh, folder, end);
        }
        catch
        {
            if (ssh is null)
            {
                Directory.Delete(folder);
            }

            ssh?.Dispose();
            throw;
        }
    }

    /// <summary>Connects with a socket of the host; null where ssh does not forward it.</summary>
    public async Task<Stream?> OpenAsync(SshEndpoint endpoint, CancellationToken cancellationToken)
    {
        var forwarded = _forwarded.GetOrAdd(endpoint.SocketPath, _ => new Lazy<Task<string?>>(() => ForwardAsync(endpoint)));
        if (await forwarded.Value.WaitAsync(cancellationToken).ConfigureAwait(false) is not { } local)
        {
            return null;
        }

        var address = new UnixDomainSocketEndPoint(local);
        return await SocketConnector.ConnectAsync(endpoint, () => new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified),
            socket => socket.ConnectAsync(address, cancellationToken).AsTask(), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends it.</summary>
    public void Dispose()
    {
        _ = EndAsync();
        _ = _end.ContinueWith(static end => _ = end.Exception, TaskScheduler.Default);
    }

    // What starts ssh removes the folder, unless it had to be killed.
    private async Task EndAsync()
    {
        await _ssh.CloseAsync().ConfigureAwait(false);
        Remove(_folder);
    }

    private static string ControlIn(string folder) => Path.Combine(folder, "c");

    private async Task<string?> ForwardAsync(SshEndpoint endpoint)
    {
        var local = Path.Combine(_folder, Interlocked.Increment(ref _sockets).ToString(CultureInfo.InvariantCulture));
        return await SshClient.ForwardAsync(_host, endpoint, Control, local, endpoint.SocketPath).ConfigureAwait(false)
            ? local
            : null;
    }

    private static string CreateFolder()
    {
        RemoveLeft(Own.Value!);
        return Directory.CreateDirectory(FolderOf(SshClient.RandomWord())).FullName;
    }

    private static string FolderOf(string word) => Path.Combine(Own.Value!, $"{FolderName}{Environment.ProcessId}-{word}");

    // Null where there is none that only this user can write to.
    private static string? FindOwn()
    {
        try
        {
            return OperatingSystem.IsWindows() ? null : UserFolder.ForLocks(_ => { });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // Of processes that were killed together with what cleans up after them.
    private static void RemoveLeft(string own)
    {
        foreach (var left in Directory.EnumerateDirectories(own, $"{FolderName}*"))
        {
            if (int.TryParse(Path.GetFileName(left)[FolderName.Length..].Split('-')[0], out var id) && id != Environment.ProcessId && !IsRunning(id))
            {
                Remove(left);
            }
        }
    }

    private static void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is gone, or another process removes it too.
        }
    }

    private static bool IsRunning(int id)
    {
        try
        {
            System.Diagnostics.Process.GetProcessById(id).Dispose();
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
#endif
