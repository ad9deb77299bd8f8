namespace TaskScheduler.Jobs.Storage.SqlServer;

/// <summary>
/// The set-based statements in Transact-SQL. Those that name rows find them by index, in the order of their sequence numbers
/// (<c>FORCESEEK</c>, <c>FORCE ORDER</c>): they lock no other rows, and two of them never wait for each other.
/// </summary>
/// <remarks>
/// <para>
/// <c>READPAST</c> needs READ COMMITTED, the server's default, and with READ_COMMITTED_SNAPSHOT also <c>READCOMMITTEDLOCK</c>.
/// What is updated is always read under a lock, so the guards hold either way.
/// </para>
/// <para>
/// The clock is read once, at the start of the batch: waiting for a lock makes a statement late, never early. Its 100 ns are
/// cut off at the millisecond; a cast would round up.
/// </para>
/// <para>
/// What looks for rows names the index. In a small table the server would scan and sort: a claim would lock all that is due,
/// from 5,000 locks on the whole table, and the plan stays while the table grows. <c>OUTPUT … INTO</c> commits before the
/// answer is sent: an instance that is frozen while it reads keeps no row from the others.
/// </para>
/// </remarks>
public static class SqlServerSql
{
    /// <summary>
    /// With the columns' own type, so that what is compared is not converted row by row; whole milliseconds are due by the one
    /// exactly when they are by the other.
    /// </summary>
    private const string Clock = """
        DECLARE @clock datetimeoffset(7) = TODATETIMEOFFSET(SYSUTCDATETIME(), 0);
        DECLARE @now datetimeoffset(3) = DATEADD(nanosecond, -(DATEPART(nanosecond, @clock) % 1000000), @clock);
        """;

    /// <summary>Who asks, and since when an instance that lives was seen.</summary>
    private const string Asker = $$"""
        {{Clock}}
        DECLARE @instanceId uniqueidentifier, @since datetimeoffset(3);
        SELECT @instanceId = c.instanceId, @since = DATEADD(millisecond, -c.lease, @now)
        FROM OPENJSON({0}) WITH (instanceId uniqueidentifier, lease int) AS c;
        """;

    private const string Claimer = $$"""
        {{Asker}}
        DECLARE @max int, @token uniqueidentifier, @instance nvarchar(256);
        SELECT @max = c.[max], @token = c.token, @instance = c.instance
        FROM OPENJSON({0}) WITH ([max] int, token uniqueidentifier, instance nvarchar(256)) AS c;
        DECLARE @started TABLE (Sequence bigint NOT NULL);
        """;

    private const string Start = $"""
        SET State = N'Running', Attempt = t.Attempt + 1, [Version] = t.[Version] + 1, IsShown = 0, StartBy = NULL,
            StartedAt = @now,
            Instance = @instance, InstanceId = @instanceId, ClaimToken = @token
        OUTPUT inserted.Sequence INTO @started
        """;

    /// <summary>Without what was deleted since.</summary>
    private const string Started = """
        SELECT t.*
        FROM @started AS s INNER JOIN scheduler.Tasks AS t WITH (FORCESEEK) ON t.Sequence = s.Sequence
        WHERE t.ClaimToken = @token AND t.State = N'Running'
        OPTION (LOOP JOIN, FORCE ORDER)
        """;

    private const string MayStart = "t.State = N'Pending' AND t.DueAt <= @now AND (t.StartBy IS NULL OR t.StartBy > @now)";

    private const string HasLostInstance = """
        t.InstanceId <> @instanceId AND NOT EXISTS (SELECT 1 FROM scheduler.Instances AS i WITH (READCOMMITTEDLOCK)
          WHERE i.Id = t.InstanceId AND i.SeenAt > @since)
        """;

    public static StoreSql Statements { get; } = new(
        Insert: $$"""
            SET XACT_ABORT ON; BEGIN TRANSACTION;
            INSERT INTO scheduler.IdempotencyKeys (Id, Request, CreatedAt, TaskIds)
            SELECT k.id, k.request, {{Time("k.createdAt")}}, k.taskIds
            FROM OPENJSON({0}, '$.keys') WITH (
              id nvarchar(64), request nvarchar(64), createdAt bigint, taskIds nvarchar(max)) AS k;
            INSERT INTO scheduler.Tasks (Id, Kind, State, ExecuteAt, DueAt, Label, ExpireAt, StartBy, CreatedAt, Attempt, Tries)
            SELECT t.id, t.kind, N'Pending', {{Time("t.executeAt")}}, {{Time("t.executeAt")}}, t.label, {{Time("t.expireAt")}},
              {{Time("t.expireAt")}}, {{Time("t.createdAt")}}, 0, 0
            FROM OPENJSON({0}, '$.tasks') AS listed
            CROSS APPLY OPENJSON(listed.[value]) WITH (
              id uniqueidentifier, kind nvarchar(16), executeAt bigint, label nvarchar(200), expireAt bigint, createdAt bigint) AS t
            ORDER BY CAST(listed.[key] AS int);
            COMMIT TRANSACTION
            """,
        Claim: $$"""
            {{Claimer}}
            WITH t AS (
              SELECT TOP (@max) t.*
              FROM scheduler.Tasks AS t WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK, INDEX (IX_Tasks_Pending), FORCESEEK)
              WHERE {{MayStart}} AND {{IsNotPaused("t.Kind")}}
              ORDER BY t.DueAt, t.Sequence)
            UPDATE t
            {{Start}};
            {{Started}}
            """,
        ClaimKinds: $$"""
            {{Claimer}}
            UPDATE t
            {{Start}}
            FROM (
              SELECT TOP (@max) first.Sequence
              FROM ({{StoreSql.OfEachKind(kind => $$"""
                SELECT * FROM (
                  SELECT TOP (@max) t.ExecuteAt, t.Sequence
                  FROM {{Seen("IX_Tasks_Kind_State_ExecuteAt_Sequence")}}
                  WHERE t.Kind = N'{{kind}}' AND t.ExecuteAt <= @now AND {{MayStart}}
                    AND {{IsNotPaused($"N'{kind}'")}}
                    AND EXISTS (SELECT 1 FROM OPENJSON({0}, '$.kinds') AS wanted WHERE wanted.[value] = N'{{kind}}')
                  ORDER BY t.ExecuteAt, t.Sequence) AS {{kind}}
                """, " UNION ALL ")}}) AS first
              ORDER BY first.ExecuteAt, first.Sequence) AS due
            INNER JOIN scheduler.Tasks AS t WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK, FORCESEEK) ON t.Sequence = due.Sequence
            WHERE {{MayStart}} AND {{IsNotPaused("t.Kind")}}
            OPTION (LOOP JOIN, FORCE ORDER);
            {{Started}}
            """,
        Expire: $$"""
            {{Clock}}
            DECLARE @max int = CAST(JSON_VALUE({0}, '$.max') AS int);
            DECLARE @expired TABLE (Kind nvarchar(16) NOT NULL);
            WITH t AS (
              SELECT TOP (@max) late.*
              FROM scheduler.Tasks AS late WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK, INDEX (IX_Tasks_StartBy), FORCESEEK)
              WHERE late.State = N'Pending' AND late.StartBy <= @now
              ORDER BY late.StartBy)
            UPDATE t
            SET State = N'Expired', [Version] = t.[Version] + 1, IsShown = 0, FinishedAt = @now
            OUTPUT inserted.Kind INTO @expired;
            SELECT e.Kind AS Value FROM @expired AS e
            """,
        // What runs on instances that live is read without being locked, hence the attempt is compared under the lock.
        TakeOver: $$"""
            {{Claimer}}
            UPDATE t
            {{Start}}
            FROM (
              SELECT TOP (@max) t.Sequence, t.Attempt
              FROM {{Seen("IX_Tasks_Running")}}
              WHERE t.State = N'Running' AND {{HasLostInstance}}
              ORDER BY t.DueAt, t.Sequence) AS abandoned
            INNER JOIN scheduler.Tasks AS t WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK, FORCESEEK)
              ON t.Sequence = abandoned.Sequence
            WHERE t.Attempt = abandoned.Attempt AND t.State = N'Running'
            OPTION (LOOP JOIN, FORCE ORDER);
            {{Started}}
            """,
        // TOP keeps the order, which is that of the locks.
        Complete: $$"""
            DECLARE @completed TABLE (Id uniqueidentifier NOT NULL);
            UPDATE t
            SET State = N'Completed', [Version] = t.[Version] + 1, IsShown = 0, [Output] = done.[output], Error = NULL,
                FinishedAt = {{Time("done.finishedAt")}}
            OUTPUT inserted.Id INTO @completed
            FROM (
              SELECT TOP (9223372036854775807) named.Sequence, finished.attempt, finished.[output], finished.finishedAt
              FROM OPENJSON({0}) WITH (id uniqueidentifier, attempt int, [output] nvarchar(256), finishedAt bigint) AS finished
              INNER JOIN scheduler.Tasks AS named WITH (FORCESEEK) ON named.Id = finished.id
              ORDER BY named.Sequence) AS done
            INNER JOIN scheduler.Tasks AS t WITH (UPDLOCK, ROWLOCK, FORCESEEK) ON t.Sequence = done.Sequence
            WHERE t.Attempt = done.attempt AND t.State = N'Running'
            OPTION (LOOP JOIN, FORCE ORDER);
            SELECT c.Id AS Value FROM @completed AS c
            """,
        Look: $$"""
            {{Asker}}
            SELECT @clock AS [Now],
              CAST(CASE WHEN {{StoreSql.OfEachKind(kind => $"""
                EXISTS (SELECT 1 FROM {Seen("IX_Tasks_Kind_State_ExecuteAt_Sequence")}
                  WHERE t.Kind = N'{kind}' AND t.ExecuteAt <= @now AND {MayStart} AND {IsNotPaused($"N'{kind}'")})
                """, " OR ")}} THEN 1 ELSE 0 END AS bit) AS HasDue,
              (SELECT TOP ({{TableLook.MaxNext}})
                  DATEDIFF_BIG(millisecond, '1970-01-01T00:00:00Z', t.DueAt) AS dueAt, t.Kind AS kind
                FROM {{Seen("IX_Tasks_Pending")}}
                WHERE t.State = N'Pending' AND t.DueAt > @now ORDER BY t.DueAt, t.Sequence FOR JSON PATH) AS [Next],
              (SELECT N'[' + STRING_AGG(N'"' + p.Kind + N'"', N',') + N']' FROM scheduler.PausedKinds AS p) AS Paused,
              {{Bit($"SELECT 1 FROM {Seen("IX_Tasks_StartBy")} WHERE t.State = N'Pending' AND t.StartBy <= @now")}} AS HasExpired,
              {{Bit($"SELECT 1 FROM {Seen("IX_Tasks_Running")} WHERE t.State = N'Running' AND {HasLostInstance}")}} AS HasAbandoned,
              {{Bit($"SELECT 1 FROM {Seen("IX_Tasks_NotShown")} WHERE t.IsShown = CAST(0 AS bit)")}} AS IsBehind,
              {{Bit($"SELECT 1 FROM {Seen("IX_Tasks_Running")} WHERE t.State = N'Running' AND t.InstanceId = @instanceId")}} AS IsRunning,
              (SELECT COUNT(*) FROM scheduler.Instances AS i WHERE i.ServerId IS NOT NULL AND i.SeenAt > @since) AS Workers
            """,
        Show: """
            DECLARE @noted TABLE (Sequence bigint NOT NULL);
            UPDATE t
            SET IsShown = CASE WHEN t.[Version] = shown.[version] THEN 1 ELSE 0 END, JobId = shown.job, JobState = shown.[state],
                JobStorageId = CAST(JSON_VALUE({0}, '$.storage') AS uniqueidentifier)
            OUTPUT inserted.Sequence INTO @noted
            FROM OPENJSON({0}, '$.rows') WITH (
              sequence bigint, [version] int, job nvarchar(64), oldJob nvarchar(64), [state] nvarchar(16)) AS shown
            INNER JOIN scheduler.Tasks AS t WITH (UPDLOCK, ROWLOCK, FORCESEEK) ON t.Sequence = shown.sequence
            WHERE ISNULL(t.JobId, N'') IN (shown.oldJob, shown.job)
            OPTION (LOOP JOIN, FORCE ORDER);
            SELECT n.Sequence AS Value FROM @noted AS n
            """,
        // The lowest ID of those with a lease, by the clocks of their machines the oldest; any if none has. Two may show at once
        // for a moment. A lock that ends with a frozen instance would not guard Hangfire's transactions, which are its own.
        IsProjector: $$"""
            {{Asker}}
            SELECT CAST(CASE WHEN (SELECT MIN(CAST(i.Id AS char(36))) FROM scheduler.Instances AS i WHERE i.SeenAt > @since)
              <> CAST(@instanceId AS char(36)) THEN 0 ELSE 1 END AS bit) AS Value
            """,
        JobStates: """
            SELECT CAST(j.Id AS nvarchar(20)) AS JobId, j.StateName AS State, j.Arguments
            FROM (SELECT DISTINCT a.id FROM OPENJSON({0}) WITH (id bigint '$') AS a) AS asked
            INNER JOIN hangfire.Job AS j WITH (FORCESEEK) ON j.Id = asked.id
            OPTION (LOOP JOIN, FORCE ORDER)
            """);

    /// <summary>One <see cref="SqlServerState"/>. Any login may read the row of its own database.</summary>
    internal const string State = """
        SELECT CAST(SERVERPROPERTY('EngineEdition') AS int) AS Edition,
          CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS [Version],
          d.name AS [Database], CAST(d.compatibility_level AS int) AS CompatibilityLevel,
          CAST(d.is_read_committed_snapshot_on AS bit) AS HasRowVersions
        FROM sys.databases AS d WHERE d.database_id = DB_ID()
        """;

    /// <summary>
    /// One <see cref="Server.MissingRight"/>, or none. A user without any right on a table does not see it; the right on
    /// the schema is looked at then.
    /// </summary>
    internal const string MissingRight = """
        SELECT TOP (1) r.name AS Name, t.name AS [Table]
        FROM (VALUES (N'scheduler.Tasks'), (N'scheduler.Instances'), (N'scheduler.PausedKinds'), (N'scheduler.IdempotencyKeys'),
            (N'scheduler.SharedKeys'), (N'hangfire.AggregatedCounter'), (N'hangfire.Counter'), (N'hangfire.Hash'), (N'hangfire.Job'),
            (N'hangfire.JobParameter'), (N'hangfire.JobQueue'), (N'hangfire.List'), (N'hangfire.Server'), (N'hangfire.Set'),
            (N'hangfire.State')) AS t(name)
        CROSS JOIN (VALUES (N'SELECT'), (N'INSERT'), (N'UPDATE'), (N'DELETE')) AS r(name)
        WHERE ISNULL(HAS_PERMS_BY_NAME(t.name, 'OBJECT', r.name), HAS_PERMS_BY_NAME(PARSENAME(t.name, 2), 'SCHEMA', r.name)) = 0
        """;

    /// <summary>The version of Hangfire's schema as <c>Value</c>; null without one.</summary>
    internal const string HangfireSchema = """
        IF OBJECT_ID(N'hangfire.Schema') IS NULL SELECT CAST(NULL AS int) AS Value
        ELSE SELECT MAX([Version]) AS Value FROM hangfire.[Schema]
        """;

    /// <summary>0 or 1 as <c>Value</c> if the lock is this session's, negative if it is another's.</summary>
    internal const string LockSchema = """
        DECLARE @taken int;
        EXEC @taken = sp_getapplock
          @Resource = N'TaskScheduler:Schema', @LockMode = N'Exclusive', @LockOwner = N'Session', @LockTimeout = 0;
        SELECT @taken AS Value
        """;

    internal const string UnlockSchema = "EXEC sp_releaseapplock @Resource = N'TaskScheduler:Schema', @LockOwner = N'Session'";

    /// <summary>A time from its Unix milliseconds; they are too many for one DATEADD.</summary>
    private static string Time(string milliseconds) =>
        $"DATEADD(millisecond, {milliseconds} % 86400000, DATEADD(day, {milliseconds} / 86400000, "
        + "CAST('1970-01-01T00:00:00Z' AS datetimeoffset(3))))";

    /// <summary>Where only one kind is read, of the kind itself: asked of each row, it would read all of them that are due.</summary>
    private static string IsNotPaused(string kind) =>
        $"NOT EXISTS (SELECT 1 FROM scheduler.PausedKinds AS p WITH (READCOMMITTEDLOCK) WHERE p.Kind = {kind})";

    private static string Bit(string rows) => $"CAST(CASE WHEN EXISTS ({rows}) THEN 1 ELSE 0 END AS bit)";

    /// <summary>The task table for a look through an index, which passes over locked rows and locks none for longer.</summary>
    private static string Seen(string index) => $"scheduler.Tasks AS t WITH (READPAST, READCOMMITTEDLOCK, INDEX ({index}))";
}
