using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Jobs.Execution;

/// <summary>A task that Hangfire delivered to this instance. A rescued one was running on an instance that is gone.</summary>
public sealed record Delivery(
    string JobId, Guid TaskId, TaskKind Kind, DateTimeOffset DueAt, long Sequence, DateTimeOffset CreatedAt, bool Rescued);

/// <summary>
/// Step 2, hold until due: deliveries in the order in which slots are granted, rescued tasks first, then by due time.
/// What is held is an object, not a slot or a thread, so holding has no limit and never delays what is due. Whose claim
/// was refused stands aside for a while, so that it keeps no slot from the others.
/// </summary>
public sealed class HoldQueue
{
    private static readonly Comparer<Delivery> SlotOrder = Comparer<Delivery>.Create((a, b) =>
        (!a.Rescued, a.DueAt, a.Sequence, a.JobId).CompareTo((!b.Rescued, b.DueAt, b.Sequence, b.JobId)));

    private readonly SortedSet<Delivery> _held = new(SlotOrder);
    private readonly PriorityQueue<Delivery, DateTimeOffset> _aside = new();
    private readonly Dictionary<Guid, int> _tasks = [];
    private readonly Lock _gate = new();

    public int Count
    {
        get
        {
            lock (_gate)
                return _held.Count + _aside.Count;
        }
    }

    /// <summary>Those that are due and may not be taken yet, because their claim was refused.</summary>
    public int CountAside
    {
        get
        {
            lock (_gate)
                return _aside.Count;
        }
    }

    /// <summary>When the first held task may start; null when nothing is held.</summary>
    public DateTimeOffset? NextDue
    {
        get
        {
            lock (_gate)
            {
                DateTimeOffset? first = _held.Min is { } held ? held.Rescued ? DateTimeOffset.MinValue : held.DueAt : null;
                return _aside.TryPeek(out _, out var back) && !(first <= back) ? back : first;
            }
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
            AddHeld(delivery);
    }

    /// <summary>Holds what may not be taken before <paramref name="until"/>; then it has its place again.</summary>
    public void AddAside(Delivery delivery, DateTimeOffset until)
    {
        lock (_gate)
        {
            _aside.Enqueue(delivery, until);
            Remember(delivery);
        }
    }

    /// <summary>How many may start now.</summary>
    public int CountDue(DateTimeOffset now)
    {
        lock (_gate)
        {
            TakeBack(now);
            return _held.TakeWhile(delivery => IsDue(delivery, now)).Count();
        }
    }

    /// <summary>Removes and returns at most <paramref name="most"/> tasks that may start now, in slot order.</summary>
    public IReadOnlyList<Delivery> TakeDue(DateTimeOffset now, int most)
    {
        lock (_gate)
        {
            TakeBack(now);
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
            List<Delivery> all = [.. _held, .. _aside.UnorderedItems.Select(item => item.Element)];
            _held.Clear();
            _aside.Clear();
            _tasks.Clear();
            return all;
        }
    }

    private static bool IsDue(Delivery delivery, DateTimeOffset now) => delivery.Rescued || delivery.DueAt <= now;

    private void TakeBack(DateTimeOffset now)
    {
        while (_aside.TryPeek(out var delivery, out var until) && until <= now)
        {
            _aside.Dequeue();
            Forget(delivery);
            AddHeld(delivery);
        }
    }

    private void AddHeld(Delivery delivery)
    {
        if (_held.Add(delivery))
            Remember(delivery);
    }

    private void Remove(Delivery delivery)
    {
        _held.Remove(delivery);
        Forget(delivery);
    }

    private void Remember(Delivery delivery) =>
        _tasks[delivery.TaskId] = _tasks.GetValueOrDefault(delivery.TaskId) + 1;

    private void Forget(Delivery delivery)
    {
        var left = _tasks[delivery.TaskId] - 1;
        if (left == 0)
            _tasks.Remove(delivery.TaskId);
        else
            _tasks[delivery.TaskId] = left;
    }
}
