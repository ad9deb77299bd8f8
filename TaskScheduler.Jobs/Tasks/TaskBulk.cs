namespace TaskScheduler.Jobs.Tasks;

/// <summary>What a change of many tasks came to.</summary>
/// <param name="Matched">How many tasks were meant.</param>
/// <param name="Changed">How many of them were in a state that allows the change, and were changed.</param>
public sealed record BulkResult(long Matched, long Changed);

/// <summary>
/// Deletes or requeues all tasks that a filter means at that moment, or those of some IDs: in steps, and no step changes a task
/// that is not meant any more. A row waits for one step at most.
/// </summary>
public sealed class TaskBulk(
    IDbContextFactory<TaskDbContext> contexts,
    TaskList list,
    TaskAlarm alarm,
    JobProjector projector,
    RequestedChanges changes,
    TimeProvider clock)
{
    private const int Step = 500;

    /// <summary>However many changes are under way here, one step at a time: requests and the worker need the database, too.</summary>
    private readonly SemaphoreSlim _step = new(1, 1);

    public Task<BulkResult> DeleteAsync(TaskFilter filter, CancellationToken cancel) => ChangeAsync(filter, TaskTransition.Delete, cancel);

    public Task<BulkResult> DeleteAsync(IReadOnlyCollection<Guid> ids, CancellationToken cancel) => ChangeAsync(ids, TaskTransition.Delete, cancel);

    /// <summary>Only failed tasks run again, and of these not those that had to start by now.</summary>
    public Task<BulkResult> RequeueAsync(TaskFilter filter, CancellationToken cancel) => ChangeAsync(filter, TaskTransition.Requeue, cancel);

    /// <inheritdoc cref="RequeueAsync(TaskFilter, CancellationToken)"/>
    public Task<BulkResult> RequeueAsync(IReadOnlyCollection<Guid> ids, CancellationToken cancel) => ChangeAsync(ids, TaskTransition.Requeue, cancel);

    private Task<int> Change(TaskTransition change, IQueryable<ScheduledTask> tasks, DateTimeOffset now, CancellationToken cancel) =>
        change == TaskTransition.Delete ? Delete(tasks, now, cancel) : Requeue(tasks, now, cancel);

    private static Task<int> Delete(IQueryable<ScheduledTask> tasks, DateTimeOffset now, CancellationToken cancel) =>
        tasks.MoveAsync(TaskTransition.Delete, set => set.SetProperty(t => t.DeletedAt, now), cancel);

    private async Task<int> Requeue(IQueryable<ScheduledTask> tasks, DateTimeOffset now, CancellationToken cancel)
    {
        var changed = await tasks.Where(t => t.ExpireAt == null || t.ExpireAt > now).MoveAsync(
            TaskTransition.Requeue,
            set => set.WithoutAttempt()
                .SetProperty(t => t.DueAt, t => t.ExecuteAt)
                .SetProperty(t => t.StartBy, t => t.ExpireAt)
                .SetProperty(t => t.Tries, 0)
                .SetProperty(t => t.Error, (string?)null)
                .SetProperty(t => t.FinishedAt, (DateTimeOffset?)null),
            cancel);
        // They have been due before.
        alarm.SetFor(now);
        return changed;
    }

    /// <summary>Newest first: what is created meanwhile comes before the first page, and no change of a task moves it.</summary>
    private async Task<BulkResult> ChangeAsync(TaskFilter filter, TaskTransition change, CancellationToken cancel)
    {
        var (result, after) = (new BulkResult(0, 0), (PagePosition?)null);
        try
        {
            do
            {
                TimeSpan took;
                await _step.WaitAsync(cancel);
                try
                {
                    var started = TimeProvider.System.GetTimestamp();
                    var page = await list.PageAsync(filter, TaskSort.NewestFirst, Step, after, cancel);
                    var sequences = page.Tasks.Select(task => task.Sequence).ToArray();
                    result = await ChangeAsync(
                        result,
                        sequences.Length,
                        tasks => filter.Of(tasks.Where(t => EF.Parameter(sequences).Contains(t.Sequence))),
                        change,
                        cancel);
                    (after, took) = (page.Next, TimeProvider.System.GetElapsedTime(started));
                }
                finally
                {
                    _step.Release();
                }

                if (after is not null)
                    await StoreRetry.PauseAsync(took, cancel);
            }
            while (after is not null);
        }
        finally
        {
            changes.Add(change, result, filter);
        }

        return result;
    }

    private async Task<BulkResult> ChangeAsync(IReadOnlyCollection<Guid> ids, TaskTransition change, CancellationToken cancel)
    {
        var result = new BulkResult(0, 0);
        try
        {
            foreach (var some in ids.Distinct().Chunk(Step))
            {
                await using var db = await contexts.CreateDbContextAsync(cancel);
                var matched = await db.Tasks.CountAsync(t => EF.Parameter(some).Contains(t.Id), cancel);
                result = await ChangeAsync(result, matched, tasks => tasks.Where(t => EF.Parameter(some).Contains(t.Id)), change, cancel);
            }
        }
        finally
        {
            changes.Add(change, result, ids);
        }

        return result;
    }

    private async Task<BulkResult> ChangeAsync(
        BulkResult before,
        int matched,
        Func<IQueryable<ScheduledTask>, IQueryable<ScheduledTask>> meant,
        TaskTransition change,
        CancellationToken cancel)
    {
        if (matched == 0)
            return before;
        var now = clock.GetUtcNow().RoundDownToMillisecond();
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var changed = await Change(change, meant(db.Tasks), now, cancel);
        if (changed > 0)
            projector.Wake();

        return new(before.Matched + matched, before.Changed + changed);
    }
}
