using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>Lists of tasks, newest first.</summary>
public sealed class TaskList(IDbContextFactory<TaskDbContext> contexts)
{
    /// <summary>At most <paramref name="count"/> tasks after <paramref name="after"/>, and whether there are more.</summary>
    public async Task<(IReadOnlyList<ScheduledTask> Tasks, bool More)> PageAsync(
        TaskFilter filter, int count, PagePosition? after, CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var tasks = db.Tasks.AsNoTracking();
        tasks = filter.States is []
            ? tasks.Where(t => t.State != ScheduledTaskState.Deleted)
            : tasks.Where(t => filter.States.Contains(t.State));
        if (filter.Kinds is not [])
            tasks = tasks.Where(t => filter.Kinds.Contains(t.Kind));
        if (after is var (createdAt, sequence))
            tasks = tasks.Where(t => t.CreatedAt <= createdAt && (t.CreatedAt < createdAt || t.Sequence < sequence));

        var page = await tasks
            .OrderByDescending(t => t.CreatedAt).ThenByDescending(t => t.Sequence)
            .Take(count + 1)
            .ToListAsync(cancel);
        return (page.Take(count).ToList(), page.Count > count);
    }
}
