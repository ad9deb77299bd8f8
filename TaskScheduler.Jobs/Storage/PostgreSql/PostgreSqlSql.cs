namespace TaskScheduler.Jobs.Storage.PostgreSql;

/// <summary>
/// The set-based statements in PostgreSQL's dialect. Each locks its rows in the order of their sequence numbers, so that two
/// of them never wait for each other; those that start or expire tasks pass over locked rows, and wait for no one. One instance at a time writes to Hangfire's
/// tables, and waits for others no longer than its <c>lock_timeout</c>.
/// </summary>
public static class PostgreSqlSql
{
    /// <summary>The condition on a running row <c>t</c> that lets another instance take it over.</summary>
    public const string HasLostInstance = $"""
        t."InstanceId" <> (SELECT "instanceId" FROM claim)
          AND NOT EXISTS (SELECT 1 FROM scheduler."Instances" AS i WHERE i."Id" = t."InstanceId" AND {IsAlive})
        """;

    private const string IsAlive = """i."SeenAt" > clock_timestamp() - (SELECT lease FROM claim) * interval '1 millisecond'""";

    private const string WithClaim = """
        WITH claim AS MATERIALIZED (
          SELECT * FROM jsonb_to_record({0}::jsonb) AS c(
            max integer, kinds text[], token uuid, instance text, "instanceId" uuid, lease bigint)),
        clock AS MATERIALIZED (SELECT clock_timestamp() AS now),
        paused AS MATERIALIZED (SELECT p."Kind" FROM scheduler."PausedKinds" AS p)
        """;

    /// <summary>
    /// On a pending row <c>t</c>. Measured with a million: bare, <c>clock_timestamp()</c> is no bound for the index (1,127 ms),
    /// as a subquery it is (0.55 ms). One reading, so that no start is after the time by which the task must have started.
    /// </summary>
    private const string MayStart = """
        t."State" = 'Pending' AND t."DueAt" <= (SELECT now FROM clock) AND (t."StartBy" IS NULL OR t."StartBy" > (SELECT now FROM clock))
        """;

    private const string IsExpired = """t."State" = 'Pending' AND t."StartBy" <= (SELECT now FROM clock)""";

    private const string Start = """
        UPDATE scheduler."Tasks" AS t
        SET "State" = 'Running', "Attempt" = t."Attempt" + 1, "Version" = t."Version" + 1, "IsShown" = FALSE,
            "StartBy" = NULL, "StartedAt" = date_trunc('milliseconds', clock.now),
            "Instance" = claim.instance, "InstanceId" = claim."instanceId", "ClaimToken" = claim.token
        FROM claim, clock
        """;

    /// <summary><c>IN (SELECT …)</c> instead of the array got a sequential scan under a generic plan (398 ms).</summary>
    private const string Claim = $$"""
        {{WithClaim}}
        {{Start}}
        WHERE t."Sequence" = ANY (ARRAY(
          SELECT t."Sequence" FROM scheduler."Tasks" AS t
          WHERE {{MayStart}} AND t."Kind" <> ALL (ARRAY(SELECT "Kind" FROM paused))
          ORDER BY t."DueAt", t."Sequence"
          LIMIT (SELECT max FROM claim)
          FOR UPDATE SKIP LOCKED))
        RETURNING t.*
        """;

    /// <summary>Locks up to as many rows of each kind, for as long as it takes to change those that come first.</summary>
    private static readonly string ClaimKinds = $$"""
        {{WithClaim}},
        {{StoreSql.OfEachKind(kind => $$"""
          "{{kind}}" AS MATERIALIZED (
            SELECT t."ExecuteAt", t."Sequence" FROM scheduler."Tasks" AS t
            WHERE t."Kind" = '{{kind}}' AND t."ExecuteAt" <= (SELECT now FROM clock) AND {{MayStart}}
              AND {{IsNotPaused(kind)}} AND (SELECT '{{kind}}' = ANY (kinds) FROM claim)
            ORDER BY t."ExecuteAt", t."Sequence"
            LIMIT (SELECT max FROM claim)
            FOR UPDATE SKIP LOCKED)
          """, ", ")}}
        {{Start}}
        WHERE t."Sequence" = ANY (ARRAY(
          SELECT due."Sequence" FROM ({{StoreSql.OfEachKind(kind => $"""TABLE "{kind}" """, " UNION ALL ")}}) AS due
          ORDER BY due."ExecuteAt", due."Sequence"
          LIMIT (SELECT max FROM claim)))
        RETURNING t.*
        """;

    private const string Expire = $$"""
        {{WithClaim}}
        UPDATE scheduler."Tasks" AS t
        SET "State" = 'Expired', "Version" = t."Version" + 1, "IsShown" = FALSE,
            "FinishedAt" = date_trunc('milliseconds', clock.now)
        FROM clock
        WHERE t."Sequence" = ANY (ARRAY(
          SELECT t."Sequence" FROM scheduler."Tasks" AS t
          WHERE {{IsExpired}}
          ORDER BY t."StartBy"
          LIMIT (SELECT max FROM claim)
          FOR UPDATE SKIP LOCKED))
        RETURNING t."Kind" AS "Value"
        """;

    /// <summary>
    /// Compares the attempt under the lock: one that began after the statement may look abandoned, because the statement
    /// does not see its instance's lease yet.
    /// </summary>
    private const string TakeOver = $$"""
        {{WithClaim}},
        abandoned AS MATERIALIZED (
          SELECT t."Sequence", t."Attempt" FROM scheduler."Tasks" AS t
          WHERE t."State" = 'Running' AND {{HasLostInstance}}
          ORDER BY t."DueAt", t."Sequence"
          LIMIT (SELECT max FROM claim)),
        free AS (
          SELECT t."Sequence" FROM scheduler."Tasks" AS t
          JOIN abandoned AS a ON a."Sequence" = t."Sequence" AND a."Attempt" = t."Attempt"
          WHERE t."State" = 'Running'
          ORDER BY t."Sequence"
          FOR UPDATE OF t SKIP LOCKED)
        {{Start}}
        WHERE t."Sequence" = ANY (ARRAY(SELECT "Sequence" FROM free))
        RETURNING t.*
        """;

    public static StoreSql Statements { get; } = new(
        Insert: """
            WITH request AS MATERIALIZED (SELECT tasks, keys FROM jsonb_to_record({0}::jsonb) AS r(tasks jsonb, keys jsonb)),
            used AS (
              INSERT INTO scheduler."IdempotencyKeys" ("Id", "Request", "CreatedAt", "TaskIds")
              SELECT k.id, k.request, to_timestamp(k."createdAt" / 1000.0), k."taskIds"
              FROM request, jsonb_to_recordset(keys) AS k(id text, request text, "createdAt" bigint, "taskIds" text))
            INSERT INTO scheduler."Tasks" (
              "Id", "Kind", "State", "ExecuteAt", "DueAt", "Label", "ExpireAt", "StartBy", "CreatedAt", "Attempt", "Tries")
            SELECT t.id, t.kind, 'Pending', due.at, due.at, t.label, due.late, due.late, to_timestamp(t."createdAt" / 1000.0), 0, 0
            FROM request,
              jsonb_to_recordset(tasks) AS t(id uuid, kind text, "executeAt" bigint, label text, "expireAt" bigint, "createdAt" bigint),
              LATERAL (
                SELECT to_timestamp(t."executeAt" / 1000.0) AS at, to_timestamp(t."expireAt" / 1000.0) AS late) AS due
            """,
        Claim,
        ClaimKinds,
        Expire,
        TakeOver,
        Complete: """
            WITH done AS (
              SELECT t."Sequence", d.output, d."finishedAt"
              FROM jsonb_to_recordset({0}::jsonb) AS d(id uuid, attempt integer, output text, "finishedAt" bigint)
              JOIN scheduler."Tasks" AS t ON t."Id" = d.id AND t."Attempt" = d.attempt AND t."State" = 'Running'
              ORDER BY t."Sequence"
              FOR UPDATE OF t)
            UPDATE scheduler."Tasks" AS t
            SET "State" = 'Completed', "Version" = t."Version" + 1, "IsShown" = FALSE, "Output" = done.output, "Error" = NULL,
                "FinishedAt" = to_timestamp(done."finishedAt" / 1000.0)
            FROM done WHERE t."Sequence" = done."Sequence"
            RETURNING t."Id" AS "Value"
            """,
        Look: $$"""
            {{WithClaim}}
            SELECT clock_timestamp() AS "Now",
              {{StoreSql.OfEachKind(kind => $$"""
                EXISTS (SELECT 1 FROM scheduler."Tasks" AS t
                  WHERE t."Kind" = '{{kind}}' AND t."ExecuteAt" <= (SELECT now FROM clock) AND {{MayStart}}
                    AND {{IsNotPaused(kind)}})
                """, " OR ")}} AS "HasDue",
              (SELECT json_agg(json_build_object('dueAt', (extract(epoch FROM next."DueAt") * 1000)::bigint, 'kind', next."Kind"))::text
                FROM (
                  SELECT t."DueAt", t."Kind" FROM scheduler."Tasks" AS t
                  WHERE t."State" = 'Pending' AND t."DueAt" > (SELECT now FROM clock)
                  ORDER BY t."DueAt", t."Sequence" LIMIT {{TableLook.MaxNext}}) AS next) AS "Next",
              (SELECT json_agg(paused."Kind")::text FROM paused) AS "Paused",
              EXISTS (SELECT 1 FROM scheduler."Tasks" AS t WHERE {{IsExpired}}) AS "HasExpired",
              EXISTS (SELECT 1 FROM scheduler."Tasks" AS t WHERE t."State" = 'Running' AND {{HasLostInstance}}) AS "HasAbandoned",
              EXISTS (SELECT 1 FROM scheduler."Tasks" AS t WHERE NOT t."IsShown") AS "IsBehind",
              EXISTS (SELECT 1 FROM scheduler."Tasks" AS t
                WHERE t."State" = 'Running' AND t."InstanceId" = (SELECT "instanceId" FROM claim)) AS "IsRunning",
              (SELECT count(*)::integer FROM scheduler."Instances" AS i
                WHERE i."ServerId" IS NOT NULL AND {{IsAlive}}) AS "Workers"
            """,
        Show: """
            WITH shown AS (
              SELECT t."Sequence", d.storage, r.version, r.job, r.state
              FROM jsonb_to_record({0}::jsonb) AS d(storage uuid, rows jsonb),
                jsonb_to_recordset(d.rows) AS r(sequence bigint, version integer, job text, state text)
              JOIN scheduler."Tasks" AS t ON t."Sequence" = r.sequence
              ORDER BY t."Sequence"
              FOR UPDATE OF t)
            UPDATE scheduler."Tasks" AS t
            SET "IsShown" = t."Version" = shown.version, "JobId" = shown.job, "JobState" = shown.state, "JobStorageId" = shown.storage
            FROM shown WHERE t."Sequence" = shown."Sequence"
            RETURNING t."Sequence" AS "Value"
            """,
        // A lock of a number that no one else takes. It ends with the transaction, which ends five seconds after its instance is
        // frozen. A job that another program has locked must not hold up all the others for longer than a second.
        IsProjector: """
            SELECT pg_try_advisory_xact_lock(6085615271925670001) AND set_config('lock_timeout', '1s', TRUE) IS NOT NULL
              AND set_config('idle_in_transaction_session_timeout', '5s', TRUE) IS NOT NULL AND {0} IS NOT NULL AS "Value"
            """,
        JobStates: """
            SELECT id::text AS "JobId", statename AS "State", arguments::text AS "Arguments"
            FROM hangfire.job WHERE id = ANY (ARRAY(SELECT jsonb_array_elements_text({0}::jsonb)::bigint))
            """);

    /// <summary>Of the kind itself: asked of each row, it would read all of them that are due.</summary>
    private static string IsNotPaused(TaskKind kind) => $"""NOT EXISTS (SELECT FROM paused WHERE paused."Kind" = '{kind}')""";

    /// <summary>
    /// One <see cref="MissingRight"/>, or none. What is not there is not missed. Hangfire's numbers come from sequences, which have
    /// rights of their own; ours belong to their columns.
    /// </summary>
    internal const string MissingRight = """
        WITH hangfires AS (
          SELECT 'hangfire.' || name AS name
          FROM unnest(ARRAY['aggregatedcounter', 'counter', 'hash', 'job', 'jobparameter', 'jobqueue', 'list', 'set', 'state']) AS name)
        SELECT r.name AS "Name", t.name AS "Table"
        FROM (
            SELECT 'scheduler."' || name || '"' AS name
            FROM unnest(ARRAY['Tasks', 'Instances', 'PausedKinds', 'IdempotencyKeys', 'SharedKeys']) AS name
            UNION ALL SELECT name FROM hangfires
            UNION ALL SELECT name FROM unnest(ARRAY['hangfire.lock', 'hangfire.server']) AS name) AS t,
          unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS r(name)
        WHERE NOT has_table_privilege(to_regclass(t.name), r.name)
        UNION ALL
        SELECT 'USAGE', s.name
        FROM (SELECT pg_get_serial_sequence(name, 'id') AS name FROM hangfires WHERE to_regclass(name) IS NOT NULL) AS s
        WHERE NOT has_sequence_privilege(s.name, 'USAGE')
        LIMIT 1
        """;

    /// <summary>Makes a job without a state for each of <c>[ { invocation, arguments } ]</c>, forgotten after an hour.</summary>
    internal const string CreateJobs = """
        INSERT INTO hangfire.job (invocationdata, arguments, createdat, expireat)
        SELECT j.invocation::jsonb, j.arguments::jsonb, clock_timestamp(), clock_timestamp() + interval '1 hour'
        FROM jsonb_to_recordset({0}::jsonb) AS j(invocation text, arguments text)
        RETURNING trim(BOTH '"' FROM arguments ->> 0)::uuid AS "TaskId", id::text AS "JobId"
        """;

    /// <summary>
    /// <c>{ jobs: [ { id, name, reason, data, expireIn } ], sets: [ { key, value, score } ], counters: [ { key, expireIn, value } ]
    /// }</c>, times in seconds. Without a score an entry leaves its set.
    /// </summary>
    internal const string ApplyStates = """
        WITH document AS MATERIALIZED (SELECT * FROM jsonb_to_record({0}::jsonb) AS d(jobs jsonb, sets jsonb, counters jsonb)),
        shown AS MATERIALIZED (
          SELECT j.*
          FROM document, jsonb_to_recordset(jobs) AS j(id bigint, name text, reason text, data jsonb, "expireIn" bigint)),
        entry AS MATERIALIZED (
          SELECT e.* FROM document, jsonb_to_recordset(sets) AS e(key text, value text, score double precision)),
        written AS (
          INSERT INTO hangfire.state (jobid, name, reason, createdat, data)
          SELECT id, name, reason, clock_timestamp(), data FROM shown
          RETURNING id, jobid),
        added AS (
          INSERT INTO hangfire.set (key, value, score)
          SELECT key, value, score FROM entry WHERE score IS NOT NULL
          ON CONFLICT (key, value) DO UPDATE SET score = excluded.score),
        removed AS (
          DELETE FROM hangfire.set AS s USING entry
          WHERE entry.score IS NULL AND s.key = entry.key AND s.value = entry.value),
        counted AS (
          INSERT INTO hangfire.counter (key, value, expireat)
          SELECT c.key, c.value, clock_timestamp() + c."expireIn" * interval '1 second'
          FROM document, jsonb_to_recordset(counters) AS c(key text, "expireIn" bigint, value bigint))
        UPDATE hangfire.job AS j
        SET stateid = written.id, statename = shown.name, expireat = clock_timestamp() + shown."expireIn" * interval '1 second'
        FROM written JOIN shown ON shown.id = written.jobid WHERE j.id = written.jobid
        """;
}
