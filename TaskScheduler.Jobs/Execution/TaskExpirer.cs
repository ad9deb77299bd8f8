namespace TaskScheduler.Jobs.Execution;

/// <summary>Expires tasks that have not started by the time that their client named. The claim passes them over from that moment.</summary>
public sealed class TaskExpirer(
    IDbContextFactory<TaskDbContext> contexts, StoreSql sql, JobProjector projector, TaskMetrics metrics, TimeProvider clock)
{
    /// <summary>A statement that locks more would keep others waiting for longer than some milliseconds.</summary>
    private const int MaxBatch = 500;

    /// <summary>Expires some of those whose time has come.</summary>
    /// <returns>Whether there may be more.</returns>
    public async Task<bool> ExpireAsync(CancellationToken cancel)
    {
        var document = JsonSerializer.Serialize(new { max = MaxBatch, now = clock.GetUtcNow().ToUnixTimeMilliseconds() });
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var kinds = await db.QueryAsync<string>(sql.Expire, document, cancel);
        if (kinds.Count > 0)
            projector.Wake();
        foreach (var kind in kinds)
            metrics.Finished(Enum.Parse<TaskKind>(kind), ScheduledTaskState.Expired);
        return kinds.Count == MaxBatch;
    }
}
