namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// Step 2, hold until due: deliveries in the order in which slots are granted, rescued tasks first, then by the time at
/// which they may be claimed. What is held is an object, not a slot or a thread, so holding has no limit and never delays
/// what is due. Each job is held once, however often it was delivered.
/// </summary>
public sealed class HoldQueue
{
    private static readonly Comparer<Delivery> SlotOrder = Comparer<Delivery>.Create((a, b) =>
        (a.ReadyAt, a.DueAt, a.Sequence, a.JobId).CompareTo((b.ReadyAt, b.DueAt, b.Sequence, b.JobId)));

    private readonly SortedSet<Delivery> _held = new(SlotOrder);
    private readonly Dictionary<string, Delivery> _jobs = [];
    private readonly Dictionary<(Guid TaskId, DateTimeOffset DueAt), int> _tasks = [];
    private readonly Lock _gate = new();

    public int Count
    {
        get
        {
            lock (_gate)
                return _held.Count;
        }
    }

    /// <summary>When the first held task may be claimed; null when nothing is held.</summary>
    public DateTimeOffset? NextReady
    {
        get
        {
            lock (_gate)
                return _held.Min?.ReadyAt;
        }
    }

    /// <summary>Whether the task is held for that time; it may have been given another one since.</summary>
    public bool Contains(Guid taskId, DateTimeOffset dueAt)
    {
        lock (_gate)
            return _tasks.ContainsKey((taskId, dueAt));
    }

    /// <summary>
    /// Of two deliveries of a job for the same run, the one that was refused more often stays: otherwise a delivery would
    /// end its pause. Of others the one that may be claimed first stays: a claim finds out whether it is out of date.
    /// </summary>
    public void Add(Delivery delivery)
    {
        lock (_gate)
        {
            if (_jobs.TryGetValue(delivery.JobId, out var held))
            {
                var replaces = delivery.IsSameRunAs(held)
                    ? delivery.Refusals > held.Refusals
                    : delivery.ReadyAt < held.ReadyAt;
                Remove(held);
                delivery = (replaces ? delivery : held) with { IsShown = delivery.IsShown || held.IsShown };
            }

            _held.Add(delivery);
            _jobs.Add(delivery.JobId, delivery);
            var task = (delivery.TaskId, delivery.DueAt);
            _tasks[task] = _tasks.GetValueOrDefault(task) + 1;
        }
    }

    /// <summary>How many may be claimed now.</summary>
    public int CountReady(DateTimeOffset now)
    {
        lock (_gate)
            return _held.TakeWhile(delivery => delivery.ReadyAt <= now).Count();
    }

    /// <summary>How many are due, whether or not they may be claimed.</summary>
    public int CountDue(DateTimeOffset now)
    {
        lock (_gate)
            return _held.Count(delivery => delivery.DueAt <= now);
    }

    /// <summary>Removes and returns at most <paramref name="most"/> tasks that may be claimed now, in slot order.</summary>
    public IReadOnlyList<Delivery> TakeReady(DateTimeOffset now, int most)
    {
        lock (_gate)
        {
            var ready = _held.Take(most).TakeWhile(delivery => delivery.ReadyAt <= now).ToList();
            ready.ForEach(Remove);
            return ready;
        }
    }

    /// <summary>Removes and returns everything.</summary>
    public IReadOnlyList<Delivery> TakeAll()
    {
        lock (_gate)
        {
            var all = _held.ToList();
            _held.Clear();
            _jobs.Clear();
            _tasks.Clear();
            return all;
        }
    }

    private void Remove(Delivery delivery)
    {
        _held.Remove(delivery);
        _jobs.Remove(delivery.JobId);
        var task = (delivery.TaskId, delivery.DueAt);
        var left = _tasks[task] - 1;
        if (left == 0)
            _tasks.Remove(task);
        else
            _tasks[task] = left;
    }
}
