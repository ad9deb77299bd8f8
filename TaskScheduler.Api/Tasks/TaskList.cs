using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>Lists of tasks, newest first, how many there are, and since when the first of them waits.</summary>
public sealed class TaskList(IDbContextFactory<TaskDbContext> contexts)
{
    private static readonly ScheduledTaskState[] AllStates = Enum.GetValues<ScheduledTaskState>();
    private static readonly ScheduledTaskState[] StatesByDefault = [.. AllStates.Except([ScheduledTaskState.Deleted])];
    private static readonly TaskKind[] AllKinds = Enum.GetValues<TaskKind>();

    /// <summary>At most <paramref name="count"/> tasks after <paramref name="after"/>, and whether there are more.</summary>
    /// <remarks>
    /// A page is read from one index, which has the tasks of each kind and state in the order of the list: at most a page for
    /// each pair, and after a position once more for the tasks created at the same moment, whatever the table holds. Only
    /// the page itself is then read from the table.
    /// </remarks>
    public async Task<(IReadOnlyList<ScheduledTask> Tasks, bool More)> PageAsync(
        TaskFilter filter, int count, PagePosition? after, CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var tasks = db.Tasks.AsNoTracking();
        var most = count + 1;
        var ranges =
            from state in filter.States is [] ? StatesByDefault : filter.States
            from kind in filter.Kinds is [] ? AllKinds : filter.Kinds
            from range in RangesAfter(after, tasks.Where(t => t.Kind == kind && t.State == state))
            select range
                .OrderByDescending(t => t.CreatedAt).ThenByDescending(t => t.Sequence)
                .Select(t => new { t.CreatedAt, t.Sequence })
                .Take(most);
        var newest = ranges.Aggregate((all, range) => all.Concat(range))
            .OrderByDescending(t => t.CreatedAt).ThenByDescending(t => t.Sequence)
            .Take(most);
        var page = await newest
            .Join(tasks, found => found.Sequence, task => task.Sequence, (_, task) => task)
            .OrderByDescending(t => t.CreatedAt).ThenByDescending(t => t.Sequence)
            .ToListAsync(cancel);
        return (page.Take(count).ToList(), page.Count > count);
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

    /// <summary>Two, because a database that is given both as one condition reads all tasks of the same moment.</summary>
    private static IQueryable<ScheduledTask>[] RangesAfter(PagePosition? after, IQueryable<ScheduledTask> tasks) =>
        after is var (createdAt, sequence)
            ? [tasks.Where(t => t.CreatedAt == createdAt && t.Sequence < sequence), tasks.Where(t => t.CreatedAt < createdAt)]
            : [tasks];
}
