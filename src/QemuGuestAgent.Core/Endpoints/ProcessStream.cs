using System.Diagnostics;

namespace QemuGuestAgent.Core.Endpoints;

/// <summary>A process that was a channel has ended.</summary>
/// <param name="program">The program.</param>
/// <param name="exitCode">Its exit code; null where it has only closed its output.</param>
/// <param name="errors">The last of its error output.</param>
/// <param name="inner">What was seen of it.</param>
internal sealed class ProcessEndedException(string program, int? exitCode, string errors, Exception? inner) : IOException(
    $"'{program}' {(exitCode is null ? "closed its output" : $"ended with exit code {exitCode}")}{(errors.Length > 0 ? ": " : "")}{errors}", inner)
{
    public int? ExitCode => exitCode;

    public string Errors => errors;
}

/// <summary>
/// The standard input and output of a process, which ends with the stream, and with this process. Its error output
/// explains its end.
/// </summary>
internal sealed class ProcessStream : ChannelStream
{
    // Only the last part of the error output is kept.
    private const int ErrorChars = 1000;

    // A process that has closed its output has ended, or is about to.
    private static readonly TimeSpan EndTime = TimeSpan.FromSeconds(2);

    private readonly string _program;
    private readonly Process _process;
    private readonly LocalProcessTree _tree;
    private readonly Stream _input;
    private readonly Stream _output;
    private readonly Task<string> _errors;
    private readonly Lazy<Task> _end;
    private volatile bool _isClosed;

    /// <summary>Starts a process whose three standard streams are all redirected.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">It could not be started.</exception>
    public ProcessStream(string program, ProcessStartInfo start)
    {
        _program = program;
        _tree = new LocalProcessTree(start);
        _process = Process.Start(start)!;
        _input = _process.StandardInput.BaseStream;
        _output = _process.StandardOutput.BaseStream;
        _errors = ReadErrorsAsync(_process.StandardError);
        _end = new Lazy<Task>(() => Task.Run(End));
        ProcessEnd.AtLast(CloseAsync);
    }

    /// <inheritdoc/>
    protected override async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            var count = await _output.ReadSomeAsync(buffer, cancellationToken).ConfigureAwait(false);
            return count > 0 || buffer.IsEmpty ? count : throw await EndedAsync(null).ConfigureAwait(false);
        }
        catch (Exception) when (_isClosed)
        {
            throw new ObjectDisposedException(nameof(ProcessStream));
        }
    }

    /// <inheritdoc/>
    protected override async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            await _input.WriteAllAsync(bytes, cancellationToken).ConfigureAwait(false);
            await _input.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e) when (!_isClosed)
        {
            throw await EndedAsync(e).ConfigureAwait(false);
        }
        catch (Exception) when (_isClosed)
        {
            throw new ObjectDisposedException(nameof(ProcessStream));
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _ = CloseAsync();
        }

        base.Dispose(disposing);
    }

    /// <summary>Closes the stream; completes when nothing of the process is left.</summary>
    internal Task CloseAsync()
    {
        _isClosed = true;
        _input.Dispose();
        _output.Dispose();
        return _end.Value;
    }

    // Its input ends; it may still pass on its remaining data, and is killed if it does not end on its own.
    private void End()
    {
        using (_process)
        {
            if (!_process.WaitForExit((int)EndTime.TotalMilliseconds))
            {
                LocalProcessTree.Kill(_process);
            }
        }

        _tree.KillLeft();
        ProcessEnd.Forget(CloseAsync);
    }

    private async Task<ProcessEndedException> EndedAsync(Exception? inner)
    {
        // A shell around it may still wait for the end of its input.
        _input.Dispose();
        await Task.WhenAny(_errors, Task.Delay(EndTime)).ConfigureAwait(false);
        var errors = _errors.IsCompleted ? await _errors.ConfigureAwait(false) : "";
        var hasExited = _process.WaitForExit((int)EndTime.TotalMilliseconds);
        return new ProcessEndedException(_program, hasExited ? _process.ExitCode : null, errors, inner);
    }

    private static async Task<string> ReadErrorsAsync(StreamReader reader)
    {
        var buffer = new char[ErrorChars];
        var text = "";
        int count;
        while ((count = await reader.ReadAsync(buffer, 0, buffer.Length).ConfigureAwait(false)) > 0)
        {
            text += new string(buffer, 0, count);
            text = text.Substring(Math.Max(0, text.Length - ErrorChars));
        }

        return text.Trim().TrimEnd('.');
    }
}
