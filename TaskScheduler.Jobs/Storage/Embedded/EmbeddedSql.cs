namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>The set-based statements in SQLite's dialect. The time is the instance's, because the store serves only one.</summary>
public static class EmbeddedSql
{
    /// <summary>The function that reads the instance's clock, which every connection has.</summary>
    public const string Now = "scheduler_now";

    /// <summary>
    /// One reading of the clock, when the statement has the file: the time at which it began to wait for it would start what
    /// has expired since.
    /// </summary>
    private const string Start = $$"""
        WITH claim AS MATERIALIZED (
          SELECT {{Now}}() AS now, {0} ->> 'instance' AS instance, {0} ->> 'instanceId' AS instanceId, {0} ->> 'token' AS token)
        UPDATE Tasks
        SET State = 'Running', Attempt = Attempt + 1, Version = Version + 1, IsShown = 0, StartBy = NULL, StartedAt = claim.now,
            Instance = claim.instance, InstanceId = claim.instanceId, ClaimToken = claim.token
        FROM claim
        WHERE Tasks.Sequence IN (
        """;

    private const string HasLostInstance = """
        t.InstanceId <> {0} ->> 'instanceId' AND NOT EXISTS (SELECT 1 FROM Instances
          WHERE Instances.Id = t.InstanceId AND Instances.SeenAt > {0} ->> 'now' - {0} ->> 'lease')
        """;

    private const string AtTheClaim = "(SELECT claim.now FROM claim)";
    private const string AtTheLook = "{0} ->> 'now'";

    private const string IsExpired = "t.State = 'Pending' AND t.StartBy <= {0} ->> 'now'";

    public static StoreSql Statements { get; } = new(
        Insert: """
            INSERT INTO IdempotencyKeys (Id, Request, CreatedAt, TaskIds)
            SELECT used.value ->> 'id', used.value ->> 'request', used.value ->> 'createdAt', used.value ->> 'taskIds'
            FROM json_each({0}, '$.keys') AS used;
            INSERT INTO Tasks (Id, Kind, State, ExecuteAt, DueAt, Label, ExpireAt, StartBy, CreatedAt, Attempt, Tries)
            SELECT task.value ->> 'id', task.value ->> 'kind', 'Pending', task.value ->> 'executeAt', task.value ->> 'executeAt',
              task.value ->> 'label', task.value ->> 'expireAt', task.value ->> 'expireAt', task.value ->> 'createdAt', 0, 0
            FROM json_each({0}, '$.tasks') AS task
            """,
        Claim: $$"""
            {{Start}}
              SELECT t.Sequence FROM Tasks AS t
              WHERE {{MayStart(AtTheClaim)}} AND t.Kind NOT IN (SELECT p.Kind FROM PausedKinds AS p)
              ORDER BY t.DueAt, t.Sequence LIMIT {0} ->> 'max')
            RETURNING *
            """,
        ClaimKinds: $$"""
            {{Start}}
              SELECT due.Sequence FROM ({{StoreSql.OfEachKind(kind => $$"""
                SELECT * FROM (
                  SELECT t.ExecuteAt, t.Sequence FROM Tasks AS t
                  WHERE t.Kind = '{{kind}}' AND t.ExecuteAt <= {{AtTheClaim}} AND {{MayStart(AtTheClaim)}}
                  ORDER BY t.ExecuteAt, t.Sequence
                  LIMIT CASE WHEN {{IsPaused(kind)}} OR '{{kind}}' NOT IN (SELECT wanted.value FROM json_each({0}, '$.kinds') AS wanted)
                    THEN 0 ELSE {0} ->> 'max' END)
                """, " UNION ALL ")}}) AS due
              ORDER BY due.ExecuteAt, due.Sequence LIMIT {0} ->> 'max')
            RETURNING *
            """,
        Expire: $$"""
            UPDATE Tasks
            SET State = 'Expired', Version = Version + 1, IsShown = 0, FinishedAt = {0} ->> 'now'
            WHERE Tasks.Sequence IN (
              SELECT t.Sequence FROM Tasks AS t WHERE {{IsExpired}} ORDER BY t.StartBy LIMIT {0} ->> 'max')
            RETURNING Kind AS Value
            """,
        TakeOver: $$"""
            {{Start}}
              SELECT t.Sequence FROM Tasks AS t
              WHERE t.State = 'Running' AND {{HasLostInstance}}
              ORDER BY t.DueAt, t.Sequence LIMIT {0} ->> 'max')
            RETURNING *
            """,
        Complete: """
            UPDATE Tasks
            SET State = 'Completed', Version = Version + 1, IsShown = 0, Output = done.value ->> 'output',
                FinishedAt = done.value ->> 'finishedAt', Error = NULL
            FROM json_each({0}) AS done
            WHERE Tasks.Id = done.value ->> 'id'
              AND Tasks.Attempt = done.value ->> 'attempt'
              AND Tasks.State = 'Running'
            RETURNING Tasks.Id AS Value
            """,
        Look: $$"""
            SELECT NULL AS Now,
              {{StoreSql.OfEachKind(kind => $$"""
                CASE WHEN {{IsPaused(kind)}} THEN 0 ELSE
                  EXISTS (SELECT 1 FROM Tasks AS t WHERE t.Kind = '{{kind}}' AND t.ExecuteAt <= {{AtTheLook}} AND {{MayStart(AtTheLook)}}) END
                """, " OR ")}} AS HasDue,
              (SELECT json_group_array(json_object('dueAt', next.DueAt, 'kind', next.Kind)) FROM (
                SELECT t.DueAt, t.Kind FROM Tasks AS t
                WHERE t.State = 'Pending' AND t.DueAt > {0} ->> 'now'
                ORDER BY t.DueAt, t.Sequence LIMIT {{TableLook.MaxNext}}) AS next) AS Next,
              (SELECT json_group_array(p.Kind) FROM PausedKinds AS p) AS Paused,
              EXISTS (SELECT 1 FROM Tasks AS t WHERE {{IsExpired}}) AS HasExpired,
              EXISTS (SELECT 1 FROM Tasks AS t WHERE t.State = 'Running' AND {{HasLostInstance}}) AS HasAbandoned,
              EXISTS (SELECT 1 FROM Tasks AS t WHERE NOT t.IsShown) AS IsBehind,
              EXISTS (SELECT 1 FROM Tasks AS t
                WHERE t.State = 'Running' AND t.InstanceId = {0} ->> 'instanceId') AS IsRunning,
              1 AS Workers
            """,
        Show: """
            UPDATE Tasks
            SET IsShown = Version = shown.value ->> 'version', JobId = shown.value ->> 'job', JobState = shown.value ->> 'state',
                JobStorageId = {0} ->> 'storage'
            FROM json_each({0}, '$.rows') AS shown
            WHERE Tasks.Sequence = shown.value ->> 'sequence'
              AND ifnull(JobId, '') IN (shown.value ->> 'oldJob', shown.value ->> 'job')
            RETURNING Sequence AS Value
            """,
        IsProjector: "SELECT {0} IS NOT NULL AS Value");

    private static string MayStart(string now) =>
        $"t.State = 'Pending' AND t.DueAt <= {now} AND (t.StartBy IS NULL OR t.StartBy > {now})";

    /// <summary>For outside of a query's condition, where SQLite would ask it for each row that is due.</summary>
    private static string IsPaused(TaskKind kind) => $"'{kind}' IN (SELECT p.Kind FROM PausedKinds AS p)";
}
