namespace TaskScheduler.Jobs.Maintenance;

/// <summary>
/// Retention: removes finished and deleted tasks and idempotency keys whose time is up, in batches so small that nothing
/// waits for one, and the instances that have been silent for so long that no attempt can name them any more.
/// </summary>
public sealed class TaskCleaner(IDbContextFactory<TaskDbContext> contexts, TimeProvider clock, IOptions<RetentionOptions> options)
{
    private const int Batch = 200;
    private static readonly TimeSpan WhileThereIsMore = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan SilentInstance = TimeSpan.FromDays(1);

    /// <returns>How long to rest before the next run.</returns>
    public async Task<TimeSpan> RunOnceAsync(CancellationToken stop)
    {
        var now = clock.GetUtcNow().RoundDownToMillisecond();
        var finishedBefore = now - options.Value.Finished;
        var deletedBefore = now - options.Value.Deleted;
        var usedBefore = now - options.Value.IdempotencyKeys;
        var silentSince = now - SilentInstance;
        await using var db = await contexts.CreateDbContextAsync(stop);
        // Its job would show for good what a row was before its end, if the row went before that is shown.
        var shown = db.Tasks.Where(t => t.IsShown);
        var finished = shown.Where(t => t.FinishedAt != null && t.FinishedAt < finishedBefore && t.DeletedAt == null);
        var deleted = shown.Where(t => t.DeletedAt != null && t.DeletedAt < deletedBefore);
        var removed = await RemoveAsync(finished, finished.OrderBy(t => t.FinishedAt));
        removed += await RemoveAsync(deleted, deleted.OrderBy(t => t.DeletedAt));
        removed += await db.IdempotencyKeys
            .Where(k => db.IdempotencyKeys
                .Where(e => e.CreatedAt < usedBefore).OrderBy(e => e.CreatedAt).Take(Batch).Select(e => e.Id).Contains(k.Id))
            .ExecuteDeleteAsync(stop);
        await db.Instances
            .Where(i => i.SeenAt < silentSince && !db.Tasks.Any(t => t.State == ScheduledTaskState.Running && t.InstanceId == i.Id))
            .ExecuteDeleteAsync(stop);
        return removed > 0 ? WhileThereIsMore : Interval;

        // The condition twice: a row may have been requeued since the oldest were looked up, and must not go then.
        Task<int> RemoveAsync(IQueryable<ScheduledTask> expired, IQueryable<ScheduledTask> oldestFirst) =>
            expired.Where(t => oldestFirst.Select(e => e.Sequence).Take(Batch).Contains(t.Sequence)).ExecuteDeleteAsync(stop);
    }
}
