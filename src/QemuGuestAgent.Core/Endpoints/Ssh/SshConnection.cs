using System.Collections.Concurrent;
using System.Text;
using QemuGuestAgent.Core.Errors;

namespace QemuGuestAgent.Core.Endpoints.Ssh;

/// <summary>
/// What all that this process does on a host shares: a master connection of ssh, which forwards sockets and carries commands, where the
/// client can have one. It ends with the last use.
/// </summary>
internal sealed class SshConnection : IDisposable
{
    // sshd refuses at random from the tenth on, and others log in too.
    private const int MaxHandshakes = 6;

    private const int MaxNoise = 64 << 10;

    // How long a busy sshd is tried, and how long virsh may take to start, where the call has no limit of its own.
    private static readonly TimeSpan BlockingTime = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(2);

    private static readonly ConcurrentDictionary<string, SemaphoreSlim> Handshakes = new();
    private static readonly SemaphoreSlim Question = new(1, 1);
    private static readonly Dictionary<SshHost, SshConnection> Used = [];

    private readonly SshHost _host;
    private int _uses;
    private ProcessEndedException? _refusal;
#if NET
    private readonly CancellationTokenSource _end = new();
    private Task<SshMaster>? _master;
    private volatile bool _relays;
#endif

    private SshConnection(SshHost host) => _host = host;

    /// <summary>Opens the channel of an endpoint.</summary>
    public static async Task<Stream> OpenSocketAsync(SshEndpoint endpoint, CancellationToken cancellationToken)
    {
        var use = Use(endpoint.Host);
        try
        {
            return new SshStream(use, await use.Connection.OpenAsync(endpoint, cancellationToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (use.Connection._refusal is { } refusal)
        {
            use.Dispose();
            throw SshFailure.Explain(endpoint.Host, endpoint, refusal);
        }
        catch
        {
            use.Dispose();
            throw;
        }
    }

    /// <summary>Starts virsh on a host: its input and output. It blocks, as the calls of libvirt's library do.</summary>
    /// <exception cref="GuestAgentException">An <c>Ssh…</c> or <c>Endpoint…</c> error.</exception>
    public static Stream StartVirsh(SshHost host, object target, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        var use = Use(host);
        try
        {
            using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            time.CancelAfter(BlockingTime);
            var (stream, _, said) = use.Connection.StartAsync(target, HostScripts.Virsh, arguments, time.Token).GetAwaiter().GetResult();
            if (said[0] == HostScripts.Up)
            {
                return new SshStream(use, stream);
            }

            stream.Dispose();
            throw ErrorCatalogue.EndpointNotSupported.With(target, "neither libvirt's library is installed here, nor virsh on the host");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            use.Dispose();
            throw ErrorCatalogue.EndpointTimedOut.With(target, BlockingTime.TotalSeconds);
        }
        catch
        {
            use.Dispose();
            throw;
        }
    }

    /// <summary>Uses the connection to a host, until the result is disposed.</summary>
    public static SshUse Use(SshHost host)
    {
        lock (Used)
        {
            if (!Used.TryGetValue(host, out var connection))
            {
                Used.Add(host, connection = new SshConnection(host));
            }

            connection._uses++;
            return new SshUse(connection);
        }
    }

    /// <summary>Ends a use.</summary>
    public void Release()
    {
        lock (Used)
        {
            if (--_uses > 0)
            {
                return;
            }

            Used.Remove(_host);
        }

        Dispose();
    }

    /// <summary>Ends it; done by the end of the last use.</summary>
    public void Dispose()
    {
#if NET
        // What has failed or still begins ends by itself, or when it has begun.
        _end.Cancel();
        _end.Dispose();
        _master?.ContinueWith(
            static master => master.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
#endif
    }

    /// <summary>Connects with the socket by a program of the host; the error tells why it cannot be.</summary>
    public async Task<RelayStream> RelayAsync(SshEndpoint endpoint, CancellationToken cancellationToken)
    {
        string[] paths = [HostScripts.Encode(endpoint.SocketPath), HostScripts.EncodeForSocat(endpoint.SocketPath)];
        var (stream, _, said) = await StartAsync(endpoint, HostScripts.Relay, paths, cancellationToken).ConfigureAwait(false);
        if (said[0] == HostScripts.Up)
        {
            return new RelayStream(endpoint, stream);
        }

        stream.Dispose();
        var rest = string.Join(" ", said.Skip(1));
        throw said[0] switch
        {
            HostScripts.Absent => ErrorCatalogue.EndpointNotFound.With(endpoint),
            HostScripts.NoSocket => ErrorCatalogue.EndpointUnreachable.With(endpoint, "it is not a socket"),
            HostScripts.Closed => ErrorCatalogue.EndpointAccessDenied.With(
                endpoint, $"the user there may not enter the folder '{rest}'", Remedy($"x '{rest}'")),
            HostScripts.Denied => ErrorCatalogue.EndpointAccessDenied.With(
                endpoint, $"the user '{said.ElementAtOrDefault(1)}' of the host may not write to the socket ({string.Join(" ", said.Skip(2))})", Remedy($"rw '{endpoint.SocketPath}'")),
            HostScripts.NoRelay => ErrorCatalogue.SshRelayMissing.With(endpoint),
            _ => ErrorCatalogue.SshFailed.With(endpoint, $"its shell said: {string.Join(" ", said)}", _host.Command),
        };
    }

    /// <summary>Starts a script on the host.</summary>
    /// <param name="target">What an error is about.</param>
    /// <param name="script">One of <see cref="HostScripts"/>.</param>
    /// <param name="arguments">Its arguments, in the plain characters that <see cref="HostScripts.CommandLine"/> takes.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<HostScript> StartAsync(
        object target, string script, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
#if NET
        var control = SshMaster.IsPossible ? (await MasterAsync(target, cancellationToken).ConfigureAwait(false)).Control : null;
#else
        string? control = null;
#endif
        var word = SshClient.RandomWord();
        var command = HostScripts.CommandLine(script, word, arguments, _host.UsesSudo);
        return await ExplainAsync(target, LogInAsync(async (asks, stop) =>
        {
            var stream = SshClient.Start(_host, target, command, control, asks);
            try
            {
                return new HostScript(stream, word, await ReadGreetingAsync(stream, target, word, stop).ConfigureAwait(false));
            }
            catch
            {
                stream.Dispose();
                throw;
            }
        }, cancellationToken)).ConfigureAwait(false);
    }

#if NET
    /// <summary>Whether the host was seen not to forward: its programs relay then.</summary>
    public void Relays() => _relays = true;

    private async Task<Stream> OpenAsync(SshEndpoint endpoint, CancellationToken cancellationToken)
    {
        // In a forwarded path ssh replaces variables.
        if (!SshMaster.IsPossible || _host.UsesSudo || _relays || endpoint.SocketPath.Any(c => c is '%' or '$' || char.IsControl(c)))
        {
            return await RelayAsync(endpoint, cancellationToken).ConfigureAwait(false);
        }

        var master = await MasterAsync(endpoint, cancellationToken).ConfigureAwait(false);
        return await master.OpenAsync(endpoint, cancellationToken).ConfigureAwait(false) is { } stream
            ? new ForwardedStream(this, master, endpoint, stream)
            : await RelayAsync(endpoint, cancellationToken).ConfigureAwait(false);
    }

    // Begun by the first who needs it. It goes on where that one gives up: others may wait for it.
    private async Task<SshMaster> MasterAsync(object target, CancellationToken cancellationToken)
    {
        Task<SshMaster> master;
        lock (Used)
        {
            if (_master is null or { IsFaulted: true } or { IsCanceled: true } or { IsCompletedSuccessfully: true, Result.HasEnded: true })
            {
                if (_master is { IsCompletedSuccessfully: true } ended)
                {
                    ended.Result.Dispose();
                }

                var end = _end.Token;
                _master = Task.Run(() => LogInAsync((asks, stop) => SshMaster.StartAsync(_host, target, asks, stop), end), end);
                _ = _master.ContinueWith(static failed => _ = failed.Exception, TaskScheduler.Default);
            }

            master = _master;
        }

        return await ExplainAsync(target, master.WaitAsync(cancellationToken)).ConfigureAwait(false);
    }
#else
    private async Task<Stream> OpenAsync(SshEndpoint endpoint, CancellationToken cancellationToken) =>
        await RelayAsync(endpoint, cancellationToken).ConfigureAwait(false);
#endif

    private string Remedy(string access) => _host.UsesSudo
        ? $"on the host: setfacl -m u:NAME:{access}"
        : $"log in as another user (ssh://root@{_host.HostName}/…), add ?sudo to the endpoint, or on the host: setfacl -m u:NAME:{access}";

    // Logs in, a few at a time, and again where sshd refuses it because of too many. It asks the user only where it does not get in
    // without. Where it does not get in, the end of ssh is thrown: each caller explains it.
    private async Task<T> LogInAsync<T>(Func<bool, CancellationToken, Task<T>> logIn, CancellationToken cancellationToken)
    {
        var handshakes = Handshakes.GetOrAdd($"{_host.HostName}:{_host.Port}", _ => new SemaphoreSlim(MaxHandshakes));
        var waited = TimeSpan.Zero;
        for (var pause = FirstPause; ; pause = pause < MaxPause ? pause + pause : pause)
        {
            await handshakes.WaitAsync(cancellationToken).ConfigureAwait(false);
            ProcessEndedException ended;
            try
            {
                var result = await logIn(false, cancellationToken).ConfigureAwait(false);
                _refusal = null;
                return result;
            }
            catch (ProcessEndedException e)
            {
                ended = e;
            }
            finally
            {
                handshakes.Release();
            }

            if (SshClient.MayAsk && SshFailure.NeedsAnswer(ended.Errors))
            {
                return await AskAsync(logIn, cancellationToken).ConfigureAwait(false);
            }

            waited += pause;
            if (!SshFailure.IsBusy(ended.Errors) || waited > BlockingTime)
            {
                _refusal = null;
                throw ended;
            }

            _refusal = ended;
            await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<T> AskAsync<T>(Func<bool, CancellationToken, Task<T>> logIn, CancellationToken cancellationToken)
    {
        await Question.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await logIn(true, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Question.Release();
        }
    }

    private async Task<T> ExplainAsync<T>(object target, Task<T> login)
    {
        try
        {
            return await login.ConfigureAwait(false);
        }
        catch (ProcessEndedException e)
        {
            throw SshFailure.Explain(_host, target, e);
        }
    }

    // Byte by byte: what follows the line is the channel's.
    private async Task<string[]> ReadGreetingAsync(ProcessStream stream, object target, string word, CancellationToken cancellationToken)
    {
        var line = new List<byte>();
        var next = new byte[1];
        for (var count = 0; count < MaxNoise; count++)
        {
            _ = await stream.ReadSomeAsync(next, cancellationToken).ConfigureAwait(false);
            if (next[0] != '\n')
            {
                line.Add(next[0]);
                continue;
            }

            if (Encoding.UTF8.GetString([.. line]).Split(' ') is var words && words[0] == word && words.Length > 1)
            {
                return [.. words.Skip(1)];
            }

            line.Clear();
        }

        throw ErrorCatalogue.SshFailed.With(target, $"the user's profile there writes more than {MaxNoise} bytes", _host.Command);
    }
}
