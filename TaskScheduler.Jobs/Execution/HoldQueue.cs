using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Jobs.Execution;

/// <summary>A task that Hangfire delivered to this instance. A rescued one was running on an instance that is gone.</summary>
public sealed record Delivery(
    string JobId, Guid TaskId, TaskKind Kind, DateTimeOffset DueAt, long Sequence, DateTimeOffset CreatedAt, bool Rescued);

/// <summary>
/// Step 2, hold until due: deliveries in the order in which slots are granted, rescued tasks first, then by due time.
/// What is held is an object, not a slot or a thread, so holding has no limit and never delays what is due.
/// </summary>
public sealed class HoldQueue
{
    private static readonly Comparer<Delivery> SlotOrder = Comparer<Delivery>.Create((a, b) =>
        (!a.Rescued, a.DueAt, a.Sequence, a.JobId).CompareTo((!b.Rescued, b.DueAt, b.Sequence, b.JobId)));

    private readonly SortedSet<Delivery> _held = new(SlotOrder);
    private readonly Dictionary<Guid, int> _tasks = [];
    private readonly Lock _gate = new();

    public int Count
    {
        get
        {
            lock (_gate)
                return _held.Count;
        }
    }

    /// <summary>When the first held task may start; null when nothing is held.</summary>
    public DateTimeOffset? NextDue
    {
        get
        {
            lock (_gate)
                return _held.Min is not { } first ? null : first.Rescued ? DateTimeOffset.MinValue : first.DueAt;
        }
    }

    public bool Contains(Guid taskId)
    {
        lock (_gate)
            return _tasks.ContainsKey(taskId);
    }

    public void Add(Delivery delivery)
    {
        lock (_gate)
        {
            if (_held.Add(delivery))
                _tasks[delivery.TaskId] = _tasks.GetValueOrDefault(delivery.TaskId) + 1;
        }
    }

    public int CountDue(DateTimeOffset now)
    {
        lock (_gate)
            return _held.TakeWhile(delivery => IsDue(delivery, now)).Count();
    }

    /// <summary>Removes and returns at most <paramref name="most"/> tasks that may start now, in slot order.</summary>
    public IReadOnlyList<Delivery> TakeDue(DateTimeOffset now, int most)
    {
        lock (_gate)
        {
            var due = _held.Take(most).TakeWhile(delivery => IsDue(delivery, now)).ToList();
            due.ForEach(Remove);
            return due;
        }
    }

    /// <summary>Removes and returns everything.</summary>
    public IReadOnlyList<Delivery> TakeAll()
    {
        lock (_gate)
        {
            var all = _held.ToList();
            _held.Clear();
            _tasks.Clear();
            return all;
        }
    }

    private static bool IsDue(Delivery delivery, DateTimeOffset now) => delivery.Rescued || delivery.DueAt <= now;

    private void Remove(Delivery delivery)
    {
        _held.Remove(delivery);
        var left = _tasks[delivery.TaskId] - 1;
        if (left == 0)
            _tasks.Remove(delivery.TaskId);
        else
            _tasks[delivery.TaskId] = left;
    }
}
