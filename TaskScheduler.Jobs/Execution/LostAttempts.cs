namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// Compares what this instance runs with what the task table says that it runs. Stops attempts that the table no longer knows:
/// their task was deleted or taken over. Gives back those that this instance does not know: a claim whose connection broke can
/// be committed after its repetition has found nothing.
/// </summary>
public sealed partial class LostAttempts(
    IDbContextFactory<TaskDbContext> contexts,
    RunningTasks running,
    InstanceIdentity instance,
    TimeProvider clock,
    IOptions<ExecutionOptions> options,
    ILogger<LostAttempts> logger)
{
    public async Task ReconcileAsync(CancellationToken cancel)
    {
        var attempts = running.All;
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var own = db.Tasks.Where(t => t.InstanceId == instance.Id && t.State == ScheduledTaskState.Running);
        var rows = await own.Select(t => new { t.Id, t.Attempt, t.StartedAt }).ToListAsync(cancel);
        var known = rows.Select(row => (row.Id, row.Attempt)).ToHashSet();
        foreach (var attempt in attempts.Where(attempt => !known.Contains((attempt.Task.Id, attempt.Task.Attempt))))
            attempt.Stop(giveBack: false);

        // The answer to a younger claim may still be on its way.
        var before = clock.GetUtcNow() - options.Value.Lease;
        Guid[] unknown = [.. rows.Where(row => row.StartedAt < before && !running.Contains(row.Id)).Select(row => row.Id)];
        if (unknown.Length == 0)
            return;
        var count = await own.Where(t => EF.Parameter(unknown).Contains(t.Id) && t.StartedAt < before).GiveBackAsync(cancel);
        if (count > 0)
            LogGaveBack(count);
    }

    [LoggerMessage(1, LogLevel.Warning, "Gave back {Count} tasks: this instance had claimed them and never got the answer.")]
    private partial void LogGaveBack(int count);
}
