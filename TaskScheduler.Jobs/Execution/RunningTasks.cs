using System.Collections.Concurrent;

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
        var entry = new RunningTask(task);
        // A newer attempt of the same task on the same instance replaces one that was given back or lost its lease; fencing
        // lets only the newer one complete.
        if (_running.TryGetValue(task.Id, out var older))
            older.Stop(giveBack: false);
        _running[task.Id] = entry;
        return entry;
    }

    /// <summary>Ends the attempt and frees its slot.</summary>
    public void Remove(RunningTask entry)
    {
        _running.TryRemove(new KeyValuePair<Guid, RunningTask>(entry.Task.Id, entry));
        _ended.Set();
    }

    /// <summary>Returns when a slot is free, or when <paramref name="stop"/> is cancelled. For the one loop that starts tasks.</summary>
    public async Task WaitForSlotAsync(CancellationToken stop)
    {
        while (Free <= 0 && !stop.IsCancellationRequested)
            await _ended.WaitAsync(Timeout.InfiniteTimeSpan, stop);
    }

    /// <summary>
    /// Returns when nothing runs any more, after <paramref name="timeout"/>, or when <paramref name="stop"/> is cancelled. For a
    /// worker that starts nothing any more.
    /// </summary>
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
