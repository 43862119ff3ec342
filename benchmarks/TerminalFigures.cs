using System.Collections.Concurrent;
using System.Diagnostics;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Operations.Terminals;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Benchmarks;

/// <summary>A shell in a guest, beside one by ssh; both are on this machine.</summary>
internal static class TerminalFigures
{
    private const int Keys = 300;
    private const double High = 0.95;

    // As somebody types: nothing is under way when a key comes.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(80);

    public static async Task RunAsync()
    {
        if (!File.Exists(Sshd.Program))
        {
            Table.Row("a key's echo", $"not measured: there is no {Sshd.Program}", "-", "-", "-");
            return;
        }

        using var sshd = new Sshd();
        using var ssh = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", sshd.Line("exec cat", "-tt")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        var bySsh = new Keyboard(bytes =>
        {
            ssh.StandardInput.BaseStream.Write(bytes);
            ssh.StandardInput.BaseStream.Flush();
        });
        _ = PumpAsync(ssh.StandardOutput.BaseStream, bySsh);

        using var agent = new RealAgent();
        using var session = await GuestAgentSession.ConnectAsync(agent.Endpoint);
        var shell = await GuestTerminal.OpenAsync(session, new GuestTerminalStart { ShellPath = "/bin/cat" });
        using var here = new Here();
        var byAgent = new Keyboard(here.Type);
        here.Shown = byAgent.Show;
        var running = shell.RunAsync(here, EscapeCharacter.Parse("^]"));

        var (plain, own) = (new List<double>(), new List<double>());
        for (var i = 0; i < Keys; i++)
        {
            plain.Add(await bySsh.PressAsync());
            own.Add(await byAgent.PressAsync());
        }

        Table.Row(
            "a key's echo, beside ssh with a terminal: median (95th percentile)", Time(plain), Time(own),
            $"{Of(own, 0.5) / Of(plain, 0.5):0.00} ({Of(own, High) / Of(plain, High):0.00})", "-");
        here.Type([0x1D]);
        await running;
        ssh.Kill(entireProcessTree: true);
    }

    private static string Time(List<double> values) => $"{Of(values, 0.5):0.0} ms ({Of(values, High):0.0})";

    private static double Of(List<double> values, double part) => values.Order().ElementAt((int)(part * values.Count));

    private static async Task PumpAsync(Stream stream, Keyboard keyboard)
    {
        var buffer = new byte[4096];
        while (await stream.ReadAsync(buffer) is var count and > 0)
        {
            keyboard.Show(buffer[..count]);
        }
    }

    // One key at a time.
    private sealed class Keyboard(Action<byte[]> type)
    {
        private readonly BlockingCollection<byte[]> _shown = [];

        public void Show(byte[] bytes) => _shown.Add(bytes);

        // How long its echo takes, in milliseconds.
        public async Task<double> PressAsync()
        {
            await Task.Delay(Pause);
            while (_shown.TryTake(out _))
            {
                // What the start wrote.
            }

            var start = Stopwatch.GetTimestamp();
            type("x"u8.ToArray());
            _shown.Take();
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
    }

    private sealed class Here : LocalTerminal
    {
        private readonly BlockingCollection<byte[]> _typed = [];

        public override TerminalSize Size => new(24, 80);

        public override string Name => "xterm";

        public Action<byte[]> Shown { get; set; } = _ => { };

        public void Type(byte[] bytes) => _typed.Add(bytes);

        public override void EnterRaw()
        {
        }

        public override int Read(byte[] buffer, CancellationToken cancellationToken)
        {
            var bytes = _typed.Take(cancellationToken);
            bytes.CopyTo(buffer, 0);
            return bytes.Length;
        }

        public override void Write(byte[] bytes) => Shown(bytes);

        protected override void Dispose(bool disposing) => _typed.Dispose();
    }
}
