using System.Globalization;
using System.Text;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests.Processes;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>A shell in a terminal of a guest that has a POSIX shell.</summary>
internal sealed class PosixTerminal : PosixInteractive
{
    private readonly GuestAgentSession _session;
    private InteractiveInput? _seen;
    private long _read;
    private long _told;

    private PosixTerminal(GuestAgentSession session, GuestTerminalStart start, string userName, TerminalWay way, HostWatch watch)
        : base(
            session, watch, [InteractiveScript.Input, InteractiveScript.Pipe, TerminalScript.Seen],
            files => TerminalScript.Prepare(files, start, userName, way))
    {
        _session = session;
        UserName = userName;
        Way = way;
    }

    /// <summary>The user that is logged in.</summary>
    public string UserName { get; }

    /// <summary>What brings the terminal.</summary>
    public TerminalWay Way { get; }

    /// <summary>Finds out how a terminal is had in a guest.</summary>
    /// <exception cref="GuestAgentException">TerminalNotOpened, and those of running a program.</exception>
    public static async Task<PosixTerminal> CreateAsync(
        GuestAgentSession session, GuestTerminalStart start, HostWatch watch, OperationTime time, CancellationToken cancellationToken)
    {
        var end = await session.RunGuardedToolAsync(TerminalScript.FindWay(start.UserName), time, cancellationToken).ConfigureAwait(false);
        var lines = Encoding.UTF8.GetString(end.Output).Split('\n');
        if (end.ExitCode != 0 || lines.Length < 2)
        {
            throw ErrorCatalogue.TerminalNotOpened.With(session.Endpoint, GuestProcessResult.LastWords(Encoding.UTF8.GetString(end.Errors)));
        }

        var way = lines[1] switch
        {
            "script" => TerminalWay.Script,
            "python3" => TerminalWay.Python,
            _ => TerminalWay.None,
        };
        return new PosixTerminal(session, start, lines[0], way, watch);
    }

    /// <inheritdoc/>
    public override async Task<InteractiveTurn> ExchangeAsync(CallOptions call, CancellationToken cancellationToken)
    {
        var turn = await base.ExchangeAsync(call, cancellationToken).ConfigureAwait(false);
        _read += turn.Output.Length;
        if (_read - _told >= TerminalScript.SeenStep)
        {
            _told = _read;
            _seen!.Add(Encoding.ASCII.GetBytes(_read.ToString(CultureInfo.InvariantCulture) + "\n"));
        }

        try
        {
            await _seen!.WriteAsync(call, cancellationToken).ConfigureAwait(false);
        }
        catch (GuestAgentException e) when (turn.Output.Length > 0 && AbandonedCall.IsPostponed(e))
        {
            // What was read is not lost; this is told later.
        }

        return turn;
    }

    /// <summary>Gives it another size; false where it is not there yet.</summary>
    /// <exception cref="GuestAgentException">Those of running a program.</exception>
    public async Task<bool> TryResizeAsync(TerminalSize size, OperationTime time, CancellationToken cancellationToken)
    {
        var end = await _session.RunToolAsync(TerminalScript.Resize(Files.Folder, size), time, cancellationToken).ConfigureAwait(false);
        return end.ExitCode != TerminalScript.NotYetExitCode;
    }

    /// <inheritdoc/>
    public override async Task CloseAsync(OperationTime time)
    {
        if (Files.Folder.Length > 0)
        {
            await _session.TryRunToolAsync(TerminalScript.Close(Files.Folder)).ConfigureAwait(false);
        }

        await base.CloseAsync(time).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override async Task OpenPipesAsync(OperationTime time, CancellationToken cancellationToken) =>
        _seen = await OpenPipeAsync(TerminalScript.Seen, time, cancellationToken).ConfigureAwait(false);
}
