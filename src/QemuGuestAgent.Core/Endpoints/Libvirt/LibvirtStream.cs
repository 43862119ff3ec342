using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Schema;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Endpoints.Libvirt;

/// <summary>
/// A domain's agent as a stream. The client's sync is answered here, because libvirt synchronises before each command itself (and gets
/// nothing more from an agent to which a client sent guest-sync-delimited); ids are removed and added to the replies; libvirt's
/// errors become those of an agent, or the end of the stream.
/// </summary>
internal sealed class LibvirtStream(ILibvirtDomain domain) : ChannelStream
{
    /// <summary>The maximum number of bytes of a file in one reply. The reply, with base64, must be a string of libvirt's protocol.</summary>
    public const int MaxReadBytes = 3_000_000;

    // REMOTE_STRING_MAX of libvirt's protocol; a reply of more than 10 MiB even breaks the domain's channel.
    private const int MaxCommandBytes = 4 << 20;

    // VIR_DOMAIN_QEMU_AGENT_COMMAND_BLOCK.
    private const int Forever = -2;

    // A guest that shuts down as requested does not answer.
    private const int SecondsForNoReply = 5;

    /// <summary>Errors that no agent replies, by the text that stands for their class.</summary>
    public static readonly IReadOnlyDictionary<string, ErrorDefinition> Errors =
        new[] { ErrorCatalogue.LibvirtAgentSilent, ErrorCatalogue.LibvirtChannelMissing, ErrorCatalogue.LibvirtMessageTooLong }
            .ToDictionary(error => error.Id);

    private static readonly JsonDocumentOptions Depth = new() { MaxDepth = RequestWriter.MaxMessageDepth };

    private readonly object _gate = new();
    private readonly Pipe _replies = new(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
    private Task _work = Task.CompletedTask;
    private bool _isClosed;

    /// <inheritdoc/>
    protected override async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var result = await _replies.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        var taken = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, buffer.Length));
        var count = (int)taken.Length;
        taken.CopyTo(buffer.Span);
        _replies.Reader.AdvanceTo(taken.End);
        return count;
    }

    /// <inheritdoc/>
    protected override ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        // The session writes whole requests, one or two at a time, each of a line; what stands before the flush byte is none.
        var rest = bytes.Slice(bytes.Span.LastIndexOf(FrameDecoder.Sentinel) + 1);
        lock (_gate)
        {
            while (!rest.IsEmpty && !_isClosed)
            {
                var end = rest.Span.IndexOf((byte)'\n') is var feed && feed < 0 ? rest.Length : feed + 1;
                using var document = JsonDocument.Parse(rest.Slice(0, end), Depth);
                var (request, time) = (document.RootElement.Clone(), CallTime);
                _work = _work.ContinueWith(
                    _ => Carry(request, time), CancellationToken.None, TaskContinuationOptions.LongRunning, TaskScheduler.Default);
                rest = rest.Slice(end);
            }
        }

        return default;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        lock (_gate)
        {
            if (disposing && !_isClosed)
            {
                _isClosed = true;
                _replies.Writer.Complete(new ObjectDisposedException(nameof(LibvirtStream)));

                // A command that libvirt executes cannot be cancelled.
                _work.ContinueWith(_ => domain.Dispose(), TaskScheduler.Default);
            }
        }

        base.Dispose(disposing);
    }

    private void Carry(JsonElement request, TimeSpan time)
    {
        if (_isClosed)
        {
            return;
        }

        var command = request.GetProperty("execute").GetString()!;
        var hasArguments = request.TryGetProperty("arguments", out var arguments);
        if (command == "guest-sync-delimited")
        {
            Reply([FrameDecoder.Sentinel, .. Encoding.ASCII.GetBytes($"{{\"return\":{arguments.GetProperty("id").GetRawText()}}}")], null);
            return;
        }

        var id = request.TryGetProperty("id", out var given) ? given.GetRawText() : null;
        var hasSuccessResponse = GuestAgentInfo.SuccessResponse(null, command);
        try
        {
            var text = Encoding.UTF8.GetBytes(hasArguments
                ? $"{{\"execute\":\"{command}\",\"arguments\":{arguments.GetRawText()}}}"
                : $"{{\"execute\":\"{command}\"}}");
            if (text.Length >= MaxCommandBytes)
            {
                Fail(ErrorCatalogue.LibvirtMessageTooLong.Id, $"it has {text.Length} bytes", id);
            }
            else if (command == "guest-file-read" && hasArguments && arguments.TryGetProperty("count", out var count)
                && count.ValueKind == JsonValueKind.Number && count.GetDouble() > MaxReadBytes)
            {
                Fail(ErrorCatalogue.LibvirtMessageTooLong.Id, $"{count.GetRawText()} bytes are requested", id);
            }
            else
            {
                Reply(domain.SendAgentCommand(text, hasSuccessResponse ? Seconds(time) : SecondsForNoReply), id);
            }
        }
        catch (LibvirtException e)
        {
            Explain(e, command, id, hasSuccessResponse);
        }
#pragma warning disable CA1031 // This is not awaited: any exception ends the stream, and is reported by the call.
        catch (Exception e)
#pragma warning restore CA1031
        {
            End(new IOException(e.Message, e));
        }
    }

    // Longer than the caller waits: the caller times out first.
    private static int Seconds(TimeSpan time) =>
        time > TimeSpan.Zero ? (int)Math.Min(int.MaxValue, Math.Ceiling(time.TotalSeconds) + 1) : Forever;

    private void Explain(LibvirtException e, string command, string? id, bool hasSuccessResponse)
    {
        if (WhyLost(e) is { } reason)
        {
            End(new IOException(reason, e));
            return;
        }

        switch (e.Code)
        {
            // Invalid in a virtual machine that is paused; timed out where another command has libvirt's lock on the agent.
            case LibvirtError.AgentUnresponsive or LibvirtError.AgentUnsynchronised or LibvirtError.AgentCommandTimeout
                or LibvirtError.OperationInvalid or LibvirtError.OperationTimeout:
                if (hasSuccessResponse)
                {
                    Fail(ErrorCatalogue.LibvirtAgentSilent.Id, e.Message, id);
                }

                break;
            case LibvirtError.ArgumentUnsupported:
                Fail(ErrorCatalogue.LibvirtChannelMissing.Id, e.Message, id);
                break;
            case LibvirtError.Rpc:
                Fail(ErrorCatalogue.LibvirtMessageTooLong.Id, e.Message, id);
                break;
            default:
                FailAsAgent(e.Message, command, id);
                break;
        }
    }

    // Null if the domain is still there.
    private string? WhyLost(LibvirtException failure)
    {
        try
        {
            return domain.IsActive ? null : "the virtual machine is not running";
        }
        catch (LibvirtException)
        {
            return failure.Message;
        }
    }

    // libvirt keeps only the description: "… 'guest-ping': description". What it says of a command that is not there or not allowed
    // has been the same in all versions of the agent, and is not translated.
    private void FailAsAgent(string message, string command, string? id)
    {
        var mark = $"{command}': ";
        var start = message.IndexOf(mark, StringComparison.Ordinal);
        var description = start < 0 ? message : message.Substring(start + mark.Length);
        var isRefused = description.Contains($"ommand {command} has not been found") || description.Contains($"ommand {command} has been disabled");
        Fail(isRefused ? "CommandNotFound" : "GenericError", description, id);
    }

    private void Fail(string errorClass, string description, string? id)
    {
        var error = new Dictionary<string, string> { ["class"] = errorClass, ["desc"] = description };
        Reply(JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object> { ["error"] = error }), id);
    }

    // The id is a member of the reply's object.
    private void Reply(byte[] reply, string? id)
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }

            var text = reply.AsSpan();
            if (id is not null)
            {
                _replies.Writer.Write(Encoding.UTF8.GetBytes($"{{\"id\":{id},"));
                text = text.Slice(1);
            }

            _replies.Writer.Write(text);
            _replies.Writer.Write("\n"u8);

            // Without a threshold nothing is waited for.
            _replies.Writer.FlushAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private void End(Exception reason)
    {
        lock (_gate)
        {
            if (!_isClosed)
            {
                _replies.Writer.Complete(reason);
                _isClosed = true;
                domain.Dispose();
            }
        }
    }
}
