namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// Step 1, alarm: wakes the worker when the next task is due that this instance knows of, from its own creations and
/// reschedules and from its last look at the task table. It starts nothing: the claim asks the table what is due.
/// </summary>
public sealed class TaskAlarm(TimeProvider clock)
{
    private readonly AsyncSignal _earlier = new(clock);
    private readonly Lock _gate = new();
    private long _ringsAt = long.MaxValue;
    private int _sets;

    /// <summary>Whether it rings now.</summary>
    public bool IsRinging => Left() <= TimeSpan.Zero;

    /// <summary>Rings at that time, unless it rings before.</summary>
    public void SetFor(DateTimeOffset dueAt) => SetIn(dueAt - clock.GetUtcNow());

    /// <inheritdoc cref="SetFor"/>
    public void SetIn(TimeSpan span)
    {
        var at = After(span);
        lock (_gate)
        {
            _sets++;
            if (at >= _ringsAt)
                return;
            _ringsAt = at;
        }

        _earlier.Set();
    }

    /// <summary>
    /// Rings as the look at the task table says, and not before. What was set while the look was under way may be missing
    /// in its answer and stays.
    /// </summary>
    /// <param name="look">Returns the time until the first task is due; null if none is pending.</param>
    public async Task SetByAsync(Func<Task<TimeSpan?>> look)
    {
        int sets;
        lock (_gate)
            sets = _sets;
        var next = await look();
        var at = next is { } span ? After(span) : long.MaxValue;
        lock (_gate)
            _ringsAt = _sets == sets ? at : Math.Min(_ringsAt, at);
        _earlier.Set();
    }

    /// <summary>Returns when it rings, or when <paramref name="stop"/> is cancelled.</summary>
    public async Task WaitAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested && Left() is { Ticks: > 0 } left)
            await _earlier.WaitAsync(left, stop);
    }

    private TimeSpan Left()
    {
        lock (_gate)
        {
            // A timer cannot be set for longer than some weeks, and another look comes in half a second.
            var left = _ringsAt == long.MaxValue ? TimeSpan.MaxValue : clock.GetElapsedTime(clock.GetTimestamp(), _ringsAt);
            return left < TimeSpan.FromMinutes(1) ? left : TimeSpan.FromMinutes(1);
        }
    }

    /// <summary>By the monotonic clock: the wall clock may be set while the worker waits.</summary>
    private long After(TimeSpan span) => span <= TimeSpan.Zero
        ? clock.GetTimestamp()
        : clock.GetTimestamp() + (long)Math.Min(span.TotalSeconds * clock.TimestampFrequency, long.MaxValue / 4);
}
