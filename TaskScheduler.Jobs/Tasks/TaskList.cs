namespace TaskScheduler.Jobs.Tasks;

/// <summary>Lists of tasks, how many there are, and since when the first of them waits.</summary>
public sealed class TaskList(IDbContextFactory<TaskDbContext> contexts)
{
    /// <summary>How many tasks a page looks at where no index has those of a range of execution times in the order of the list.</summary>
    public const int Window = 5_000;

    private static readonly ScheduledTaskState[] AllStates = Enum.GetValues<ScheduledTaskState>();
    private static readonly TaskKind[] AllKinds = Enum.GetValues<TaskKind>();

    /// <summary>
    /// At most <paramref name="count"/> tasks after <paramref name="after"/>. Newest first, a page of a range of execution times
    /// may have fewer, or none, and a next one all the same.
    /// </summary>
    /// <remarks>
    /// A page is read from one index, which has the tasks of each kind and state, and label, in the order of the list: at most a
    /// page for each part, and after a position once more for the tasks of the same moment, whatever the table holds. Only the
    /// page itself is then read from the table.
    /// </remarks>
    public async Task<TaskPage> PageAsync(
        TaskFilter filter, TaskSort sort, int count, PagePosition? after, CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var tasks = db.Tasks.AsNoTracking();
        var passesOver = sort == TaskSort.NewestFirst && filter.HasRange;
        var most = passesOver ? Window : count + 1;
        var ranges =
            from part in filter.PartsOf(tasks)
            from range in RangesAfter(after, sort, passesOver ? part : filter.InRange(part))
            select Ordered(KeysOf(range, sort, passesOver), sort).Take(most);
        var first = Ordered(ranges.Aggregate((all, range) => all.Concat(range)), sort).Take(most);
        // Its end first: what leaves the filter before the page is read must not draw older tasks into the window.
        var last = passesOver ? await first.Skip(Window - 1).FirstOrDefaultAsync(cancel) : null;
        var window = last is { Time: var time, Sequence: var sequence }
            ? first.Where(key => key.Time > time || (key.Time == time && key.Sequence >= sequence))
            : first;
        var found = passesOver ? Ordered(InRange(window, filter), sort).Take(count + 1) : first;
        var page = await Ordered(found.Join(tasks, key => key.Sequence, task => task.Sequence, (_, task) => task), sort)
            .ToListAsync(cancel);
        if (page.Count > count)
            return new([.. page.Take(count)], PositionOf(page[count - 1], sort));
        return new(page, last is null ? null : new(last.Time, last.Sequence));
    }

    /// <summary>How many tasks there are of each state and kind, also where there are none.</summary>
    public async Task<IReadOnlyList<TaskCount>> CountAsync(CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var counts = await db.Tasks
            .GroupBy(t => new { t.Kind, t.State })
            .Select(tasks => new { tasks.Key.State, tasks.Key.Kind, Count = tasks.LongCount() })
            .ToDictionaryAsync(tasks => (tasks.State, tasks.Kind), tasks => tasks.Count, cancel);
        return
        [
            .. from state in AllStates
               from kind in AllKinds
               select new TaskCount(state, kind, counts.GetValueOrDefault((state, kind))),
        ];
    }

    /// <summary>How many tasks are meant; not counted further than <paramref name="most"/>.</summary>
    /// <remarks>In the order of an index, or a database that expects enough of them anywhere reads the table for the first ones.</remarks>
    public async Task<int> CountUpToAsync(int most, TaskFilter filter, CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        return await filter.PartsOf(db.Tasks)
            .Select(part => filter.InRange(part).OrderBy(t => t.ExecuteAt).ThenBy(t => t.Sequence).Select(t => t.Sequence).Take(most))
            .Aggregate((all, part) => all.Concat(part))
            .Take(most)
            .CountAsync(cancel);
    }

    /// <summary>How many tasks were completed at that time or later, and are not deleted.</summary>
    public async Task<int> CountCompletedAsync(DateTimeOffset from, CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        return await db.Tasks.CountAsync(
            t => t.FinishedAt != null && t.FinishedAt >= from && t.DeletedAt == null && t.State == ScheduledTaskState.Completed, cancel);
    }

    /// <summary>When the pending task that is due before all others is due; null if nothing is pending.</summary>
    public async Task<DateTimeOffset?> FirstDueAsync(CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        return await db.Tasks
            .Where(t => t.State == ScheduledTaskState.Pending)
            .OrderBy(t => t.DueAt)
            .Select(t => (DateTimeOffset?)t.DueAt)
            .FirstOrDefaultAsync(cancel);
    }

    private static PagePosition PositionOf(ScheduledTask task, TaskSort sort) =>
        new(sort == TaskSort.NewestFirst ? task.CreatedAt : task.ExecuteAt, task.Sequence);

    /// <summary>Two, because a database that is given both as one condition reads all tasks of the same moment.</summary>
    private static IQueryable<ScheduledTask>[] RangesAfter(PagePosition? after, TaskSort sort, IQueryable<ScheduledTask> tasks) =>
        (after, sort) switch
        {
            (null, _) => [tasks],
            (var (time, sequence), TaskSort.NewestFirst) =>
                [tasks.Where(t => t.CreatedAt == time && t.Sequence < sequence), tasks.Where(t => t.CreatedAt < time)],
            var ((time, sequence), _) =>
                [tasks.Where(t => t.ExecuteAt == time && t.Sequence > sequence), tasks.Where(t => t.ExecuteAt > time)],
        };

    private static IQueryable<Key> KeysOf(IQueryable<ScheduledTask> tasks, TaskSort sort, bool withExecuteAt) => sort switch
    {
        TaskSort.NextFirst => tasks.Select(t => new Key { Time = t.ExecuteAt, Sequence = t.Sequence }),
        _ when withExecuteAt => tasks.Select(t => new Key { Time = t.CreatedAt, Sequence = t.Sequence, ExecuteAt = t.ExecuteAt }),
        _ => tasks.Select(t => new Key { Time = t.CreatedAt, Sequence = t.Sequence }),
    };

    private static IQueryable<Key> InRange(IQueryable<Key> keys, TaskFilter filter)
    {
        if (filter.ExecuteFrom is { } from)
            keys = keys.Where(key => key.ExecuteAt >= from);
        return filter.ExecuteTo is { } to ? keys.Where(key => key.ExecuteAt < to) : keys;
    }

    private static IQueryable<Key> Ordered(IQueryable<Key> keys, TaskSort sort) => sort == TaskSort.NewestFirst
        ? keys.OrderByDescending(key => key.Time).ThenByDescending(key => key.Sequence)
        : keys.OrderBy(key => key.Time).ThenBy(key => key.Sequence);

    private static IQueryable<ScheduledTask> Ordered(IQueryable<ScheduledTask> tasks, TaskSort sort) => sort == TaskSort.NewestFirst
        ? tasks.OrderByDescending(t => t.CreatedAt).ThenByDescending(t => t.Sequence)
        : tasks.OrderBy(t => t.ExecuteAt).ThenBy(t => t.Sequence);

    /// <summary>What the index has of a task.</summary>
    private sealed class Key
    {
        public required DateTimeOffset Time { get; init; }

        public required long Sequence { get; init; }

        public DateTimeOffset ExecuteAt { get; init; }
    }
}
