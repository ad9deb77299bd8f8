namespace TaskScheduler.Jobs.Data;

/// <summary>
/// The statements that LINQ cannot say: they change many rows, each with values of its own, or need the locks of one
/// dialect. Each takes one JSON document; times in it are Unix milliseconds. Those that change a task raise its version and
/// take its mark away, so that its job follows.
/// </summary>
/// <param name="Insert">
/// <c>{ tasks: [ { id, kind, executeAt, createdAt } ], keys: [ { id, request, createdAt, taskIds } ] }</c>. Inserts pending
/// tasks, in this order, and idempotency keys. SQLite needs a transaction around both.
/// </param>
/// <param name="Claim">
/// <c>{ max, token, instance, instanceId, now }</c>. Starts an attempt of at most <c>max</c> pending rows, first those that are
/// due for longest, and returns the rows. The database's clock decides what is due; <c>now</c> is for the store that has none.
/// Passes over rows that another instance is changing.
/// </param>
/// <param name="TakeOver">
/// As <paramref name="Claim"/> with <c>lease</c> in milliseconds, for running rows whose instance was silent for that long.
/// </param>
/// <param name="Complete">
/// Array of <c>{ id, attempt, output, finishedAt }</c>. Completes the rows that still run that attempt, and returns their IDs
/// as <c>Value</c>.
/// </param>
/// <param name="Look"><c>{ instanceId, lease, now }</c>. Returns one <see cref="TableLook"/>.</param>
/// <param name="Show">
/// <c>{ storage, rows: [ { sequence, version, job, oldJob, state } ] }</c>. Notes each row's job and its state, and marks the
/// row as shown if it still has that version, else as not shown. Returns the sequence numbers as <c>Value</c>. Where two
/// instances may do this at once, it leaves out rows that name neither of the two jobs.
/// </param>
/// <param name="IsProjector">
/// <c>{ instanceId, lease }</c>. Returns as <c>Value</c> whether this instance, and then no other, may show rows now.
/// </param>
/// <param name="JobStates">
/// Array of job IDs. Returns those in Hangfire's table as <c>JobId</c>, <c>State</c> (null before the first) and
/// <c>Arguments</c>. Null where Hangfire has no tables.
/// </param>
public sealed record StoreSql(
    string Insert, string Claim, string TakeOver, string Complete, string Look, string Show, string IsProjector,
    string? JobStates = null);

/// <summary>What an instance asks the task table every half second.</summary>
/// <param name="Now">The database's wall clock; null where the instance's own clock decides.</param>
/// <param name="DueTimes">When the next <see cref="MaxDueTimes"/> pending tasks are due, as a JSON array; null if none is.</param>
/// <param name="HasAbandoned">Whether a task runs whose instance lost its lease.</param>
/// <param name="IsBehind">Whether a job does not show its row yet.</param>
/// <param name="IsRunning">Whether a task runs on the instance that asks.</param>
/// <param name="Workers">Instances with a lease that run tasks.</param>
public sealed record TableLook(
    DateTimeOffset? Now, string? DueTimes, bool HasAbandoned, bool IsBehind, bool IsRunning, int Workers)
{
    public const int MaxDueTimes = 100;
}

public static class StoreStatements
{
    /// <summary>Plain SQL has no part in EF's strategy by itself, which repeats the victim of a deadlock.</summary>
    public static Task<int> ExecuteAsync(this TaskDbContext db, string sql, string document, CancellationToken cancel) =>
        db.Database.CreateExecutionStrategy().ExecuteAsync(
            stop => db.Database.ExecuteSqlRawAsync(sql, [document], stop), cancel);

    /// <inheritdoc cref="ExecuteAsync"/>
    public static Task<List<T>> QueryAsync<T>(this TaskDbContext db, string sql, string document, CancellationToken cancel) =>
        db.Database.CreateExecutionStrategy().ExecuteAsync(
            stop => db.Database.SqlQueryRaw<T>(sql, document).ToListAsync(stop), cancel);

    /// <summary>For a statement that returns whole rows of the task table.</summary>
    public static Task<List<ScheduledTask>> QueryTasksAsync(
        this TaskDbContext db, string sql, string document, CancellationToken cancel) =>
        db.Database.CreateExecutionStrategy().ExecuteAsync(
            stop => db.Tasks.FromSqlRaw(sql, document).AsNoTracking().ToListAsync(stop), cancel);
}
