namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// Step 2, claim: one guarded statement starts what is due by the clock of the task table, what has been due longest
/// first. Tasks whose instance fell silent go before them.
/// </summary>
/// <remarks>The condition in <see cref="StoreSql.Claim"/> alone decides whether an attempt may start.</remarks>
public sealed partial class TaskClaimer(
    IDbContextFactory<TaskDbContext> contexts,
    StoreSql sql,
    StoreRetry retry,
    InstanceHeartbeat heartbeat,
    InstanceIdentity instance,
    TaskAlarm alarm,
    TimeProvider clock,
    IOptions<ExecutionOptions> options,
    ILogger<TaskClaimer> logger)
{
    private static readonly TaskKind[] AllKinds = Enum.GetValues<TaskKind>();

    /// <summary>Starts an attempt of at most <paramref name="max"/> tasks that are due and not paused.</summary>
    public Task<IReadOnlyList<ScheduledTask>> ClaimAsync(int max, CancellationToken stop) =>
        StartAsync(alarm.Paused.Count == 0 ? sql.Claim : sql.ClaimKinds, max, stop);

    /// <summary>The same for tasks that run on an instance whose lease is over.</summary>
    public async Task<IReadOnlyList<ScheduledTask>> TakeOverAsync(int max, CancellationToken stop)
    {
        var taken = await StartAsync(sql.TakeOver, max, stop);
        if (taken.Count > 0)
            LogTookOver(taken.Count);
        return taken;
    }

    /// <summary>The token tells, when an answer was lost, what the statement started without this instance learning of it.</summary>
    private async Task<IReadOnlyList<ScheduledTask>> StartAsync(string statement, int max, CancellationToken stop)
    {
        var token = Guid.NewGuid();
        var unanswered = false;
        List<ScheduledTask> started = [];
        await retry.RetryAsync(async stopped =>
        {
            // What an instance starts must not look abandoned from the start.
            await heartbeat.BeatAsync(heartbeat.Interval, stopped);
            await using var db = await contexts.CreateDbContextAsync(stopped);
            if (unanswered)
                started = await FindAsync(db, token, stopped);
            if (started.Count > 0)
                return;
            unanswered = true;
            started = await db.QueryTasksAsync(statement, Document(token, max), stopped);
        }, stop);
        return [.. started.OrderBy(task => task.DueAt).ThenBy(task => task.Sequence)];
    }

    private string Document(Guid token, int max) => JsonSerializer.Serialize(new
    {
        max,
        kinds = AllKinds.Except(alarm.Paused).Select(kind => $"{kind}"),
        token,
        instance = instance.Name,
        instanceId = instance.Id,
        lease = (long)options.Value.Lease.TotalMilliseconds,
        now = clock.GetUtcNow().ToUnixTimeMilliseconds(),
    });

    private Task<List<ScheduledTask>> FindAsync(TaskDbContext db, Guid token, CancellationToken cancel) => db.Tasks.AsNoTracking()
        .Where(t => t.State == ScheduledTaskState.Running && t.InstanceId == instance.Id && t.ClaimToken == token)
        .ToListAsync(cancel);

    [LoggerMessage(1, LogLevel.Information, "Taking over {Count} tasks of an instance that is gone.")]
    private partial void LogTookOver(int count);
}
