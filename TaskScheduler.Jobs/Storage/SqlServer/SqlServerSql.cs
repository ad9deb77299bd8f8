using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Storage.Server;

namespace TaskScheduler.Jobs.Storage.SqlServer;

/// <summary>
/// The set-based statements in Transact-SQL. Each of them goes from the document to the rows by index
/// (<c>FORCESEEK</c>, <c>FORCE ORDER</c>), so that it locks the rows it names and no others.
/// </summary>
/// <remarks>
/// <para>
/// The claim and the queue pass over locked rows (<c>READPAST</c>), which asks for the isolation level READ COMMITTED, the
/// server's default; with READ_COMMITTED_SNAPSHOT it also asks for locks instead of row versions
/// (<c>READCOMMITTEDLOCK</c>; where that option is off it changes nothing). What is updated is always read under a lock, so
/// the guards hold either way.
/// </para>
/// <para>
/// The clock is read once, at the start of the batch: a lock that is waited for makes a statement late, never early. It
/// has 100 ns; what is kept of it is cut off at the millisecond, because a cast would round up.
/// </para>
/// </remarks>
public static class SqlServerSql
{
    public static StoreSql Statements { get; } = new(
        Claim: """
            DECLARE @now datetimeoffset(7) = TODATETIMEOFFSET(SYSUTCDATETIME(), 0);
            UPDATE t
            SET State = N'Running', Attempt = t.Attempt + 1,
                StartedAt = DATEADD(nanosecond, -(DATEPART(nanosecond, @now) % 1000000), @now),
                Instance = claim.instance, InstanceId = claim.instanceId, ClaimToken = claim.token
            FROM OPENJSON({0}) WITH (
                token uniqueidentifier, instance nvarchar(256), instanceId uniqueidentifier, lease int) AS claim
            CROSS JOIN OPENJSON({0}, '$.jobs') WITH (job nvarchar(64), id uniqueidentifier, attempt int) AS delivered
            INNER JOIN scheduler.Tasks AS t WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK, FORCESEEK)
              ON t.JobId = delivered.job AND t.Id = delivered.id
            WHERE (t.ClaimToken IS NULL OR t.ClaimToken <> claim.token)
              AND ((t.State = N'Pending' AND t.DueAt <= @now)
                OR (t.State = N'Running' AND t.Attempt = delivered.attempt AND NOT EXISTS (
                  SELECT 1 FROM scheduler.Instances AS i
                  WHERE i.Id = t.InstanceId AND i.SeenAt > DATEADD(millisecond, -claim.lease, @now))))
            OPTION (LOOP JOIN, FORCE ORDER)
            """,
        Complete: """
            UPDATE t
            SET State = N'Completed', [Output] = done.[output], Error = NULL,
                FinishedAt = DATEADD(millisecond, done.finishedAt % 86400000, DATEADD(day, done.finishedAt / 86400000,
                  CAST('1970-01-01T00:00:00Z' AS datetimeoffset(3))))
            OUTPUT inserted.Id AS Value
            FROM OPENJSON({0}) WITH (
                id uniqueidentifier, attempt int, [output] nvarchar(256), finishedAt bigint) AS done
            INNER JOIN scheduler.Tasks AS t WITH (UPDLOCK, ROWLOCK, FORCESEEK) ON t.Id = done.id
            WHERE t.Attempt = done.attempt AND t.State = N'Running'
            OPTION (LOOP JOIN, FORCE ORDER)
            """,
        NameJobs: """
            UPDATE t
            SET JobId = named.[to]
            OUTPUT inserted.Id AS Value
            FROM OPENJSON({0}) WITH (
                id uniqueidentifier, attempt int, [from] nvarchar(64), [to] nvarchar(64)) AS named
            INNER JOIN scheduler.Tasks AS t WITH (UPDLOCK, ROWLOCK, FORCESEEK) ON t.Id = named.id
            WHERE t.Attempt = named.attempt AND t.State IN (N'Pending', N'Running')
              AND (t.JobId = named.[from] OR (t.JobId IS NULL AND named.[from] IS NULL))
            OPTION (LOOP JOIN, FORCE ORDER)
            """);

    public static ServerSql ServerStatements { get; } = new(
        TakeJobs: """
            WITH earliest AS (
              SELECT TOP ({0}) JobId
              FROM scheduler.JobQueue WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK, FORCESEEK)
              WHERE DueAt <= {1}
              ORDER BY DueAt)
            DELETE FROM earliest
            OUTPUT deleted.JobId AS Value
            """,
        JobStates: """
            SELECT CAST(j.Id AS nvarchar(20)) AS JobId, j.StateName AS State, j.Arguments
            FROM OPENJSON({0}) WITH (id bigint '$') AS asked
            INNER JOIN hangfire.Job AS j WITH (FORCESEEK) ON j.Id = asked.id
            OPTION (LOOP JOIN, FORCE ORDER)
            """,
        EnqueuedJobs: """
            SELECT CAST(Id AS nvarchar(20)) AS Value
            FROM hangfire.Job WITH (READPAST, READCOMMITTEDLOCK)
            WHERE StateName = {0} AND InvocationData LIKE {1}
            """,
        Now: "SELECT TODATETIMEOFFSET(SYSUTCDATETIME(), 0) AS Value");

    /// <summary>
    /// A job whose row was removed, or is held by somebody, is due at once: at worst it is looked at too early. Not COALESCE,
    /// which asks twice and may find the row the first time only.
    /// </summary>
    internal const string Enqueue = """
        INSERT INTO scheduler.JobQueue (JobId, DueAt)
        VALUES (@jobId, ISNULL(
          (SELECT t.DueAt FROM scheduler.Tasks AS t WITH (READPAST, READCOMMITTEDLOCK) WHERE t.JobId = @jobId),
          TODATETIMEOFFSET(SYSUTCDATETIME(), 0)))
        """;

    /// <summary>The version of Hangfire's schema as <c>Value</c>; null without one.</summary>
    internal const string HangfireSchema = """
        IF OBJECT_ID(N'hangfire.Schema') IS NULL
          SELECT CAST(NULL AS int) AS Value
        ELSE
          SELECT MAX([Version]) AS Value FROM hangfire.[Schema]
        """;

    /// <summary>0 or 1 as <c>Value</c> if the lock is this session's, negative if it is another's.</summary>
    internal const string LockSchema = """
        DECLARE @taken int;
        EXEC @taken = sp_getapplock
          @Resource = N'TaskScheduler:Schema', @LockMode = N'Exclusive', @LockOwner = N'Session', @LockTimeout = 0;
        SELECT @taken AS Value
        """;

    internal const string UnlockSchema =
        "EXEC sp_releaseapplock @Resource = N'TaskScheduler:Schema', @LockOwner = N'Session'";
}
