namespace TaskScheduler.FaultCampaign;

/// <summary>
/// A moment at which an instance of the campaign kills itself: when the database has done a statement, and nothing has
/// come of its answer yet, or at one of two moments without a statement.
/// </summary>
/// <param name="Name">As it stands in the report.</param>
/// <param name="Statement">What the statement's text contains; null for a moment without one.</param>
/// <param name="Passes">How often an instance may come by before it dies, at most: so that it dies with work on its hands.</param>
/// <param name="Lock">What the name of the Hangfire lock that is taken ends in.</param>
/// <param name="ButNot">What the statement's text does not contain.</param>
public sealed record KillPoint(string Name, string? Statement, int Passes, string? Lock = null, string? ButNot = null)
{
    private const string TakesOver = "abandoned AS MATERIALIZED";
    private const string TakeLock = "INTO \"hangfire\".\"lock\"";

    /// <summary>Tasks are committed, and the client is not told.</summary>
    public static readonly KillPoint Answering = new("committed, before the 201", null, 8);

    /// <summary>A line has left the process, and its job does not show it yet.</summary>
    public static readonly KillPoint Printed = new("printed, before its job shows it", null, 8);

    public static IReadOnlyList<KillPoint> All { get; } =
    [
        new("inserted, before the answer", "INTO scheduler.\"Tasks\"", 8),
        Answering,
        new("claimed, before the run", "\"ClaimToken\" = claim.token", 8, ButNot: TakesOver),
        new("taken over, before the run", TakesOver, 2),
        new("committed, before the print", "\"Output\" = done.output", 8),
        Printed,
        new("deleted, before its job shows it", "\"DeletedAt\" = @", 1),
        new("expired, before its job shows it", "\"State\" = 'Expired'", 2),
        new("paused, before the answer", "INTO scheduler.\"PausedKinds\"", 1),
        new("rescheduled, before its job shows it", "\"ExecuteAt\" = @", 2),
        new("given up, before its job shows it", "\"Error\" = @", 2),
        new("projector chosen, before it reads", "pg_try_advisory_xact_lock", 20),
        new("marker of a new storage written, before the commit", "INTO \"hangfire\".\"hash\"", 1),
        new("job made, before its number is noted", "INTO hangfire.job", 20),
        new("state written, before the commit", "INTO hangfire.state", 20),
        new("shown, before the commit", "\"IsShown\" = t.\"Version\" = shown", 8),
        new("lock of the expiration", TakeLock, 1, "locks:expirationmanager"),
    ];

    public bool IsAt(string statement, string? takenLock) =>
        Statement is not null && statement.Contains(Statement, StringComparison.Ordinal)
        && (ButNot is null || !statement.Contains(ButNot, StringComparison.Ordinal))
        && (Lock is null || takenLock?.EndsWith(Lock, StringComparison.Ordinal) == true);
}
