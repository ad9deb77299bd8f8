namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// Asks the task table every half second what this instance cannot know by itself: what others were given and when it is
/// due, whose instance fell silent, which jobs lag behind, and what time it is.
/// </summary>
public sealed partial class TableWatch(
    IDbContextFactory<TaskDbContext> contexts,
    StoreSql sql,
    TaskAlarm alarm,
    JobProjector projector,
    RunningTasks running,
    LostAttempts lostAttempts,
    TaskExpirer expirer,
    InstanceIdentity instance,
    TimeProvider clock,
    IOptions<ExecutionOptions> options,
    ILogger<TableWatch> logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private const int MaxExpirySteps = 20;
    private static readonly TimeSpan WhileMoreExpires = TimeSpan.FromMilliseconds(20);

    public TableLook Last { get; private set; } = new(null, false, null, null, false, false, false, false, 0);

    /// <summary>Looks once, and compares what runs here with the table.</summary>
    /// <returns>How long to rest before the next look.</returns>
    public async Task<TimeSpan> RunOnceAsync(CancellationToken stop)
    {
        await LookAsync(stop);
        if (Last.HasAbandoned)
            alarm.SetFor(clock.GetUtcNow());
        if (Last.IsBehind)
            projector.Wake();
        if (Last.IsRunning || running.Count > 0)
            await lostAttempts.ReconcileAsync(stop);
        // A look passes over all that has expired and is not marked yet.
        for (var steps = 0; Last.HasExpired && await expirer.ExpireAsync(stop); steps++)
        {
            if (steps == MaxExpirySteps)
                return WhileMoreExpires;
        }

        return Interval;
    }

    /// <summary>Sets the alarm for the tasks that are due next.</summary>
    public Task LookAsync(CancellationToken cancel) => alarm.SetByAsync(async () =>
    {
        var question = JsonSerializer.Serialize(new
        {
            instanceId = instance.Id,
            lease = (long)options.Value.Lease.TotalMilliseconds,
            now = clock.GetUtcNow().ToUnixTimeMilliseconds(),
        });
        var asked = clock.GetTimestamp();
        await using var db = await contexts.CreateDbContextAsync(cancel);
        Last = (await db.QueryAsync<TableLook>(sql.Look, question, cancel)).Single();
        if (Last.Now is { } now && clock is DatabaseClock reading)
            reading.Take(now, asked);
        var next = Deserialize<NextTask>(Last.Next);
        var paused = Deserialize<string>(Last.Paused).Select(Enum.Parse<TaskKind>).Order().ToHashSet();
        if (!paused.SetEquals(alarm.Paused))
            LogPaused(paused.Count == 0 ? "nothing" : string.Join(", ", paused));
        var dueTimes = next.Where(task => !paused.Contains(Enum.Parse<TaskKind>(task.Kind))).Select(task => task.DueAt);
        return new Upcoming(
            (Last.HasDue ? dueTimes.Append(clock.GetUtcNow().ToUnixTimeMilliseconds()) : dueTimes).Select(DateTimeOffset.FromUnixTimeMilliseconds),
            next.Length < TableLook.MaxNext ? null : DateTimeOffset.FromUnixTimeMilliseconds(next.Max(task => task.DueAt)),
            paused);
    });

    private static T[] Deserialize<T>(string? array) => JsonSerializer.Deserialize<T[]>(array ?? "[]", JsonSerializerOptions.Web)!;

    private sealed record NextTask(long DueAt, string Kind);

    [LoggerMessage(1, LogLevel.Information, "Paused on all instances: {Kinds}.")]
    private partial void LogPaused(string kinds);
}
