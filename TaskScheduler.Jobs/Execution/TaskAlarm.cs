namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// Step 1, alarm: wakes the worker when the next task is due that this instance knows of, from its own creations and
/// reschedules and from its last look at the task table. It starts nothing: the claim asks the table what is due.
/// </summary>
public sealed class TaskAlarm(TimeProvider clock)
{
    /// <summary>A timer cannot be set for longer than some weeks, and another look comes in half a second.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromMinutes(1);

    private readonly AsyncSignal _earlier = new(clock);
    private readonly Lock _gate = new();

    /// <summary>When it rings, and the number of the change that set it for that time.</summary>
    private SortedDictionary<DateTimeOffset, int> _dueTimes = [];

    /// <summary>What is due later is not known as a whole.</summary>
    private DateTimeOffset _horizon = DateTimeOffset.MaxValue;

    public int LastChange { get; private set; }

    public bool IsRinging => Left() <= TimeSpan.Zero;

    /// <summary>Rings at each of these times; of those beyond the horizon the next look tells.</summary>
    public void SetFor(params IEnumerable<DateTimeOffset> dueTimes)
    {
        lock (_gate)
        {
            var first = First();
            LastChange++;
            foreach (var dueAt in dueTimes.Where(dueAt => dueAt <= _horizon))
                _dueTimes[dueAt] = LastChange;
            if (First() == first)
                return;
        }

        _earlier.Set();
    }

    /// <summary>
    /// Rings as the look at the task table says, and not before. What was set while the look was under way may be missing
    /// in its answer and stays.
    /// </summary>
    /// <param name="look">When the next tasks are due, in order; <see cref="TableLook.MaxDueTimes"/> of them if there are more.</param>
    public async Task SetByAsync(Func<Task<DateTimeOffset[]>> look)
    {
        var before = LastChange;
        var dueTimes = await look();
        lock (_gate)
        {
            _horizon = dueTimes.Length < TableLook.MaxDueTimes ? DateTimeOffset.MaxValue : dueTimes[^1];
            _dueTimes = new(_dueTimes.Where(known => known.Value > before && known.Key <= _horizon).ToDictionary());
            LastChange++;
            foreach (var dueAt in dueTimes)
                _dueTimes[dueAt] = LastChange;
        }

        _earlier.Set();
    }

    /// <summary>Does not ring any more for what a claim started. What was set for the same time since is another task.</summary>
    /// <param name="started">When they were due.</param>
    /// <param name="before"><see cref="LastChange"/> before the claim.</param>
    /// <returns>Whether it is set for what follows; if not, only a look tells what is due next.</returns>
    public bool Forget(IEnumerable<DateTimeOffset> started, int before)
    {
        lock (_gate)
        {
            foreach (var dueAt in started.Where(dueAt => _dueTimes.GetValueOrDefault(dueAt) <= before))
                _dueTimes.Remove(dueAt);
            return _dueTimes.Count > 0 && First() > clock.GetUtcNow();
        }
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
            var left = First() - clock.GetUtcNow();
            return left < MaxWait ? left : MaxWait;
        }
    }

    private DateTimeOffset First() => _dueTimes.Keys.FirstOrDefault(DateTimeOffset.MaxValue);
}
