using System.Collections.Concurrent;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Jobs.Execution;

/// <summary>One attempt that this instance holds. <paramref name="Token"/> is its claim's.</summary>
public sealed record ClaimedTask(Delivery Delivery, int Attempt, int Tries, DateTimeOffset StartedAt, Guid Token)
{
    public Guid Id => Delivery.TaskId;

    public TaskKind Kind => Delivery.Kind;
}

/// <summary>The attempts in progress on this instance, and the slots they take.</summary>
public sealed class RunningTasks(int slots)
{
    private readonly ConcurrentDictionary<Guid, RunningTask> _running = [];
    private int _taken;

    public int Slots => slots;

    public int Count => _running.Count;

    public int Free => slots - Volatile.Read(ref _taken);

    public IReadOnlyCollection<RunningTask> All => [.. _running.Values];

    public bool Contains(Guid taskId) => _running.ContainsKey(taskId);

    /// <summary>Slots are taken before the claim, so that a claim never brings home more than can run.</summary>
    public void TakeSlots(int count) => Interlocked.Add(ref _taken, count);

    public void FreeSlots(int count) => Interlocked.Add(ref _taken, -count);

    public RunningTask Add(ClaimedTask task)
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
        entry.Dispose();
        FreeSlots(1);
    }
}

/// <summary>An attempt in progress, and the means to stop it.</summary>
public sealed class RunningTask(ClaimedTask task) : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private bool _disposed;

    public ClaimedTask Task { get; } = task;

    public CancellationToken Stopped => _stop.Token;

    /// <summary>True once a shutdown, not the task table, stopped the attempt.</summary>
    public bool ToGiveBack { get; private set; }

    public void Stop(bool giveBack)
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            ToGiveBack = giveBack;
            _stop.Cancel();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _stop.Dispose();
        }
    }
}
