using System.Collections.Concurrent;
using System.Text;
using System.Text.RegularExpressions;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Operations.Terminals;

namespace QemuGuestAgent.Core.Tests.Operations.Terminals;

/// <summary>A terminal that a test types at and looks at.</summary>
internal sealed class PlayedTerminal : LocalTerminal
{
    private const int Kept = 1 << 18;

    private readonly BlockingCollection<byte[]> _typed = [];
    private readonly MemoryStream _shown = new();
    private long _length;
    private byte[] _rest = [];
    private TerminalSize _size = new(24, 80);

    public override TerminalSize Size => _size;

    public override string Name => "xterm-256color";

    public bool IsRaw { get; private set; }

    public bool IsDisposed { get; private set; }

    /// <summary>Called with each piece that is shown, before anything else comes.</summary>
    public Action<byte[]> OnShown { get; set; } = _ => { };

    /// <summary>What was shown last: of a flood, no more.</summary>
    public string Text
    {
        get
        {
            lock (_shown)
            {
                return Encoding.UTF8.GetString(_shown.ToArray());
            }
        }
    }

    /// <summary>How many bytes were shown.</summary>
    public long Length => Interlocked.Read(ref _length);

    /// <summary>What was shown, without the sequences that only colour and place it.</summary>
    public string Plain => Regex.Replace(Text, "\u001B(\\[[0-9;?]*[A-Za-z]|[]][^\u0007]*\u0007|.)|\r", "");

    public void Type(string keys) => Type(Encoding.UTF8.GetBytes(keys));

    public void Type(byte[] keys) => _typed.Add(keys);

    /// <summary>Ends the terminal, as a window that is closed does.</summary>
    public void HangUp() => _typed.CompleteAdding();

    public void Resize(int rows, int columns)
    {
        _size = new TerminalSize(rows, columns);
        OnResized();
    }

    public override void EnterRaw() => IsRaw = true;

    public override int Read(byte[] buffer, CancellationToken cancellationToken)
    {
        if (_rest.Length == 0 && !_typed.TryTake(out _rest!, Timeout.Infinite, cancellationToken))
        {
            return 0;
        }

        var count = Math.Min(_rest.Length, buffer.Length);
        _rest.AsSpan(0, count).CopyTo(buffer);
        _rest = _rest[count..];
        return count;
    }

    public override void Write(byte[] bytes)
    {
        Assert.False(IsDisposed, "It was shown something after its end.");
        lock (_shown)
        {
            if (_shown.Length > Kept)
            {
                _shown.SetLength(0);
            }

            _shown.Write(bytes);
        }

        Interlocked.Add(ref _length, bytes.Length);

        OnShown(bytes);
    }

    protected override void Dispose(bool disposing)
    {
        IsDisposed = true;
        IsRaw = false;
    }
}
