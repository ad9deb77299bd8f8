namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>The set-based statements in SQLite's dialect. The time is the instance's, because the store serves only one.</summary>
public static class EmbeddedSql
{
    private const string Start = """
        UPDATE Tasks
        SET State = 'Running', Attempt = Attempt + 1, Version = Version + 1, IsShown = 0, StartedAt = claim.value ->> 'now',
            Instance = claim.value ->> 'instance', InstanceId = claim.value ->> 'instanceId', ClaimToken = claim.value ->> 'token'
        FROM (SELECT {0} AS value) AS claim
        WHERE Tasks.Sequence IN (
        """;

    private const string HasLostInstance = """
        t.InstanceId <> {0} ->> 'instanceId' AND NOT EXISTS (SELECT 1 FROM Instances
          WHERE Instances.Id = t.InstanceId AND Instances.SeenAt > {0} ->> 'now' - {0} ->> 'lease')
        """;

    public static StoreSql Statements { get; } = new(
        Insert: """
            INSERT INTO IdempotencyKeys (Id, Request, CreatedAt, TaskIds)
            SELECT used.value ->> 'id', used.value ->> 'request', used.value ->> 'createdAt', used.value ->> 'taskIds'
            FROM json_each({0}, '$.keys') AS used;
            INSERT INTO Tasks (Id, Kind, State, ExecuteAt, DueAt, CreatedAt, Attempt, Tries)
            SELECT task.value ->> 'id', task.value ->> 'kind', 'Pending', task.value ->> 'executeAt', task.value ->> 'executeAt',
              task.value ->> 'createdAt', 0, 0
            FROM json_each({0}, '$.tasks') AS task
            """,
        Claim: Start + """

              SELECT t.Sequence FROM Tasks AS t
              WHERE t.State = 'Pending' AND t.DueAt <= {0} ->> 'now'
              ORDER BY t.DueAt, t.Sequence LIMIT {0} ->> 'max')
            RETURNING *
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
              (SELECT json_group_array(next.DueAt) FROM (
                SELECT t.DueAt FROM Tasks AS t
                WHERE t.State = 'Pending' ORDER BY t.DueAt, t.Sequence LIMIT {{TableLook.MaxDueTimes}}) AS next) AS DueTimes,
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
}
