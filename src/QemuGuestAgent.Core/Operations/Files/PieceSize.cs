namespace QemuGuestAgent.Core.Operations.Files;

/// <summary>
/// How many bytes go with each command: as many as this agent is fastest with, from 64 KiB to 1 MiB. (More make no agent faster, and
/// keep it from all else for longer.)
/// </summary>
internal sealed class PieceSize(int? constant)
{
    /// <summary>The fewest bytes.</summary>
    public const int Min = 64 << 10;

    /// <summary>The most bytes.</summary>
    public const int Max = 1 << 20;

    // Enough pieces to tell one speed from another, and how many go by until it is tried again.
    private const int Trial = 8;
    private const int Settled = 2048;
    private const double Better = 1.05;

    private double _best;
    private int _pieces;
    private long _bytes;
    private TimeSpan _time;
    private bool _isSettled;

    /// <summary>The bytes of the next piece.</summary>
    public int Current { get; private set; } = constant ?? Min;

    /// <summary>Takes how long a piece took.</summary>
    public void Took(int bytes, TimeSpan time)
    {
        _pieces++;
        _bytes += bytes;
        _time += time;
        if (constant is not null || _pieces < (_isSettled ? Settled : Trial))
        {
            return;
        }

        var rate = _bytes / Math.Max(_time.TotalSeconds, 1e-6);
        (_pieces, _bytes, _time) = (0, 0, TimeSpan.Zero);
        if (_isSettled)
        {
            (_isSettled, _best, Current) = (false, 0, Min);
        }
        else if (rate < _best * Better)
        {
            Current /= 2;
            _isSettled = true;
        }
        else
        {
            _best = rate;
            _isSettled = Current == Max;
            Current = Math.Min(2 * Current, Max);
        }
    }
}
