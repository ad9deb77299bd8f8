namespace TaskScheduler.Jobs.Execution;

/// <summary>What a look at the task table tells about the tasks that are due next.</summary>
/// <param name="DueTimes">When those are due that are not paused.</param>
/// <param name="Horizon">Up to when these are all that there are; null if there are no others.</param>
/// <param name="Paused">The kinds that do not start.</param>
public sealed record Upcoming(IEnumerable<DateTimeOffset> DueTimes, DateTimeOffset? Horizon, IReadOnlySet<TaskKind> Paused);

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

    /// <summary>The kinds that the last look found paused. It rings for none of their tasks.</summary>
    public IReadOnlySet<TaskKind> Paused { get; private set; } = new HashSet<TaskKind>();

    public bool IsRinging => Left() <= TimeSpan.Zero;

    /// <summary>Rings when each of these is due, unless it is paused.</summary>
    public void SetFor(params IEnumerable<ScheduledTask> tasks) =>
        SetFor(tasks.Where(task => !Paused.Contains(task.Kind)).Select(task => task.DueAt));

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
    public async Task SetByAsync(Func<Task<Upcoming>> look)
    {
        var before = LastChange;
        var upcoming = await look();
        lock (_gate)
        {
            (Paused, _horizon) = (upcoming.Paused, upcoming.Horizon ?? DateTimeOffset.MaxValue);
            _dueTimes = new(_dueTimes.Where(known => known.Value > before && known.Key <= _horizon).ToDictionary());
            LastChange++;
            foreach (var dueAt in upcoming.DueTimes)
                _dueTimes[dueAt] = LastChange;
            // Only another look tells what follows.
            if (upcoming.Horizon is { } horizon)
                _dueTimes[horizon] = LastChange;
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
