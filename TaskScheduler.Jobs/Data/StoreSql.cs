namespace TaskScheduler.Jobs.Data;

/// <summary>
/// The statements that LINQ cannot say: they change many rows, each with values of its own, or need the locks of one
/// dialect. Each takes one JSON document; times in it are Unix milliseconds. Those that change a task raise its version and
/// take its mark away, so that its job follows.
/// </summary>
/// <param name="Insert">
/// <c>{ tasks: [ { id, kind, executeAt, label, expireAt, createdAt } ], keys: [ { id, request, createdAt, taskIds } ] }</c>. Inserts pending
/// tasks, in this order, and idempotency keys. SQLite needs a transaction around both.
/// </param>
/// <param name="Claim">
/// <c>{ max, token, instance, instanceId, now }</c>. Starts an attempt of at most <c>max</c> pending rows, first those that are
/// due for longest, and returns the rows. The database's clock decides what is due; <c>now</c> is for the store that has none.
/// Passes over rows that another instance is changing, that are paused, or that must have started by now.
/// </param>
/// <param name="ClaimKinds">
/// As <paramref name="Claim"/> with <c>kinds</c>: only these, and without a look at the others, of which a million may be due
/// while they are paused. What is retried is in the order of the time that its client asked for.
/// </param>
/// <param name="Expire">
/// <c>{ max, now }</c>. Expires at most <c>max</c> pending rows that must have started by now, and returns their kinds as
/// <c>Value</c>. Passes over rows that another instance is changing.
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
    string Insert, string Claim, string ClaimKinds, string Expire, string TakeOver, string Complete, string Look, string Show, string IsProjector,
    string? JobStates = null)
{
    /// <summary>The same piece of a statement for each kind.</summary>
    public static string OfEachKind(Func<TaskKind, string> sql, string separator) =>
        string.Join(separator, Enum.GetValues<TaskKind>().Select(sql));
}

/// <summary>What an instance asks the task table every half second.</summary>
/// <param name="Now">The database's wall clock; null where the instance's own clock decides.</param>
/// <param name="HasDue">Whether a pending task is due whose kind is not paused.</param>
/// <param name="Next">
/// The next <see cref="MaxNext"/> pending tasks that are not due yet, paused ones too, as a JSON array of <c>{ dueAt, kind
/// }</c>; null if there is none.
/// </param>
/// <param name="Paused">The kinds that do not start, as a JSON array; null if there is none.</param>
/// <param name="HasExpired">Whether a pending task must have started by now.</param>
/// <param name="HasAbandoned">Whether a task runs whose instance lost its lease.</param>
/// <param name="IsBehind">Whether a job does not show its row yet.</param>
/// <param name="IsRunning">Whether a task runs on the instance that asks.</param>
/// <param name="Workers">Instances with a lease that run tasks.</param>
public sealed record TableLook(
    DateTimeOffset? Now, bool HasDue, string? Next, string? Paused, bool HasExpired, bool HasAbandoned, bool IsBehind, bool IsRunning, int Workers)
{
    public const int MaxNext = 100;
}

public static class StoreStatements
{
    /// <summary>Plain SQL has no part in EF's strategy by itself, which repeats what the server rolled back because of others.</summary>
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
