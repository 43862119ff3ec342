using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace QemuGuestAgent.Core.Operations.Terminals;

/// <summary>The console of this process, on Windows: keys and output are the sequences that terminals of other systems know.</summary>
internal sealed class WindowsTerminal : ConsoleTerminal
{
    private const int InputHandle = -10;
    private const int OutputHandle = -11;
    private const uint Utf8 = 65001;

    // ENABLE_PROCESSED_INPUT, _LINE_INPUT, _ECHO_INPUT, _MOUSE_INPUT, _QUICK_EDIT_MODE stays; _VIRTUAL_TERMINAL_INPUT (consoleapi.h).
    private const uint CookedInput = 0x1 | 0x2 | 0x4 | 0x10;
    private const uint SequencesInput = 0x200;

    // ENABLE_PROCESSED_OUTPUT, ENABLE_VIRTUAL_TERMINAL_PROCESSING, DISABLE_NEWLINE_AUTO_RETURN.
    private const uint SequencesOutput = 0x1 | 0x4 | 0x8;

    private const int LookMilliseconds = 100;

    private readonly nint _input = GetStdHandle(InputHandle);
    private readonly nint _output = GetStdHandle(OutputHandle);
    private readonly Encoder _encoder = new UTF8Encoding(false).GetEncoder();
    private readonly InputRecord[] _records = new InputRecord[256];
    private readonly char[] _characters = new char[256];
    private uint _inputMode;
    private uint _outputMode;
    private uint _codePage;

    /// <inheritdoc/>
    public override string Name => "xterm-256color";

    /// <inheritdoc/>
    public override int Read(byte[] buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (WaitForSingleObject(_input, LookMilliseconds) != 0)
            {
                continue;
            }

            // As records: a read of characters would wait on where only a window or the mouse has told something.
            if (!ReadConsoleInputW(_input, _records, (uint)Math.Min(_records.Length, buffer.Length / 4), out var count))
            {
                return 0;
            }

            var length = Characters(count);
            if (_encoder.GetBytes(_characters, 0, length, buffer, 0, flush: false) is > 0 and var bytes)
            {
                return bytes;
            }
        }
    }

    /// <inheritdoc/>
    protected override void ChangeMode()
    {
        Check(GetConsoleMode(_input, out _inputMode));
        Check(GetConsoleMode(_output, out _outputMode));
        _codePage = GetConsoleOutputCP();
        Check(SetConsoleMode(_input, (_inputMode & ~CookedInput) | SequencesInput));

        // Before Windows 10 there is no such mode; what was changed is put back.
        if (!SetConsoleMode(_output, _outputMode | SequencesOutput))
        {
            var error = new Win32Exception();
            SetConsoleMode(_input, _inputMode);
            throw error;
        }

        SetConsoleOutputCP(Utf8);
    }

    /// <inheritdoc/>
    protected override void RestoreMode()
    {
        SetConsoleOutputCP(_codePage);
        SetConsoleMode(_output, _outputMode);
        SetConsoleMode(_input, _inputMode);
    }

    // Of keys that were pressed, and of a code that was typed on the number pad with Alt, which comes as Alt is released.
    private int Characters(uint count)
    {
        const ushort keyEvent = 1;
        const ushort alt = 0x12;
        const ushort windowEvent = 4;
        var length = 0;
        for (var i = 0; i < count; i++)
        {
            var record = _records[i];
            if (record.EventType == windowEvent)
            {
                OnResized();
            }
            else if (record.EventType == keyEvent && record.Character != '\0' && (record.IsDown != 0 || record.Key == alt))
            {
                _characters[length++] = record.Character;
            }
        }

        return length;
    }

    private static void Check(bool done)
    {
        if (!done)
        {
            throw new Win32Exception();
        }
    }

    // INPUT_RECORD with its KEY_EVENT_RECORD.
    [StructLayout(LayoutKind.Sequential, CharSet = CharSet.Unicode)]
    private struct InputRecord
    {
        public ushort EventType;
        public int IsDown;
        public ushort Repeat;
        public ushort Key;
        public ushort Scan;
        public char Character;
        public uint Control;
    }

    [DllImport("kernel32.dll")]
    private static extern nint GetStdHandle(int kind);

    [DllImport("kernel32.dll")]
    private static extern uint WaitForSingleObject(nint handle, int milliseconds);

    [DllImport("kernel32.dll", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool GetConsoleMode(nint console, out uint mode);

    [DllImport("kernel32.dll", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool SetConsoleMode(nint console, uint mode);

    [DllImport("kernel32.dll")]
    private static extern uint GetConsoleOutputCP();

    [DllImport("kernel32.dll")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool SetConsoleOutputCP(uint codePage);

    [DllImport("kernel32.dll", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool ReadConsoleInputW(nint console, [Out] InputRecord[] records, uint count, out uint read);
}
