namespace TaskScheduler.FaultCampaign;

/// <summary>
/// A moment at which an instance of the campaign kills itself: when the database has done a statement, and nothing has
/// come of its answer yet, or at one of two moments without a statement.
/// </summary>
/// <param name="Name">As it stands in the report.</param>
/// <param name="Statement">What the statement's text contains; null for a moment without one.</param>
/// <param name="Passes">How often an instance may come by before it dies, at most: so that it dies with work on its hands.</param>
/// <param name="Lock">What the name of the Hangfire lock that is taken ends in.</param>
public sealed record KillPoint(string Name, string? Statement, int Passes, string? Lock = null)
{
    private const string TakeLock = "INTO \"hangfire\".\"lock\"";

    /// <summary>Tasks are committed, and the client is not told.</summary>
    public static readonly KillPoint Answering = new("committed, before the 201", null, 8);

    /// <summary>A line has left the process, and Hangfire is not told.</summary>
    public static readonly KillPoint Printed = new("printed, before telling Hangfire", null, 8);

    public static IReadOnlyList<KillPoint> All { get; } =
    [
        new("key used, before the task", "INTO scheduler.\"IdempotencyKeys\"", 8),
        new("job made, before the task", "INTO \"hangfire\".\"job\"", 8),
        new("task inserted, before its schedule", "INTO scheduler.\"Tasks\"", 8),
        new("state written, before the commit", "INTO \"hangfire\".\"state\"", 20),
        Answering,
        new("taken from the queue, before the hold", "DELETE FROM scheduler.\"JobQueue\"", 6),
        new("claimed, before the run", "WITH claim AS", 8),
        new("committed, before the print", "\"Output\" = done.output", 8),
        Printed,
        new("deleted, before telling Hangfire", "\"DeletedAt\" = @", 1),
        new("rescheduled, before the commit", "\"ExecuteAt\" = @", 2),
        new("given a new job, before its state", "SET \"JobId\" = named", 1),
        new("lock of the scheduler", TakeLock, 2, "locks:schedulepoller"),
        new("lock of a job's state", TakeLock, 1, ":state-lock"),
        new("lock of the expiration", TakeLock, 1, "locks:expirationmanager"),
    ];

    public bool IsAt(string statement, string? takenLock) =>
        Statement is not null && statement.Contains(Statement, StringComparison.Ordinal)
        && (Lock is null || takenLock?.EndsWith(Lock, StringComparison.Ordinal) == true);
}
