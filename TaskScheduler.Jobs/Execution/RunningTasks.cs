namespace TaskScheduler.Jobs.Execution;

/// <summary>The attempts in progress on this instance, and the slots they take.</summary>
public sealed class RunningTasks(int slots, TimeProvider clock)
{
    private readonly ConcurrentDictionary<Guid, RunningTask> _running = [];
    private readonly AsyncSignal _ended = new(clock);

    public int Slots => slots;

    public int Count => _running.Count;

    public int Free => slots - Count;

    public IReadOnlyCollection<RunningTask> All => [.. _running.Values];

    public bool Contains(Guid taskId) => _running.ContainsKey(taskId);

    public RunningTask Add(ScheduledTask task)
    {
        // An older attempt of the task was given back or lost its lease; fencing lets only the newer one complete.
        _running.GetValueOrDefault(task.Id)?.Stop(giveBack: false);
        return _running[task.Id] = new RunningTask(task);
    }

    /// <summary>Ends the attempt and frees its slot.</summary>
    public void Remove(RunningTask entry)
    {
        _running.TryRemove(KeyValuePair.Create(entry.Task.Id, entry));
        _ended.Set();
    }

    /// <summary>Returns at a free slot or a cancelled <paramref name="stop"/>. For the one loop that starts tasks.</summary>
    public async Task WaitForSlotAsync(CancellationToken stop)
    {
        while (Free <= 0 && !stop.IsCancellationRequested)
            await _ended.WaitAsync(Timeout.InfiniteTimeSpan, stop);
    }

    /// <summary>Returns once nothing runs, after <paramref name="timeout"/>, or at a cancelled <paramref name="stop"/>.</summary>
    public async Task WaitForAllAsync(TimeSpan timeout, CancellationToken stop)
    {
        var started = clock.GetTimestamp();
        while (Count > 0 && !stop.IsCancellationRequested && timeout - clock.GetElapsedTime(started) is { Ticks: > 0 } left)
            await _ended.WaitAsync(left, stop);
    }
}

/// <summary>An attempt in progress, and the means to stop it.</summary>
public sealed class RunningTask(ScheduledTask task)
{
    private readonly CancellationTokenSource _stop = new();

    public ScheduledTask Task => task;

    public CancellationToken Stopped => _stop.Token;

    /// <summary>True once a shutdown, not the task table, stopped the attempt.</summary>
    public bool ToGiveBack { get; private set; }

    public void Stop(bool giveBack)
    {
        ToGiveBack = giveBack;
        _stop.Cancel();
    }
}
