using TaskScheduler.Jobs.Data;

namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>The set-based statements in SQLite's dialect.</summary>
public static class EmbeddedSql
{
    public static StoreSql Statements { get; } = new(
        Claim: """
            UPDATE Tasks
            SET State = 'Running', Attempt = Attempt + 1, StartedAt = claim.value ->> 'now',
                Instance = claim.value ->> 'instance', InstanceId = claim.value ->> 'instanceId',
                ClaimToken = claim.value ->> 'token'
            FROM (SELECT {0} AS value) AS claim
            WHERE Tasks.Sequence IN (
                SELECT named.Sequence
                FROM json_each({0}, '$.jobs') AS job
                CROSS JOIN Tasks AS named ON named.JobId = job.value ->> 'job' AND named.Id = job.value ->> 'id'
                  AND (named.State = 'Pending' OR named.Attempt = job.value ->> 'attempt'))
              AND Tasks.ClaimToken IS NOT claim.value ->> 'token'
              AND ((Tasks.State = 'Pending' AND Tasks.DueAt <= claim.value ->> 'now')
                OR (Tasks.State = 'Running' AND NOT EXISTS (
                  SELECT 1 FROM Instances
                  WHERE Instances.Id = Tasks.InstanceId
                    AND Instances.SeenAt > claim.value ->> 'now' - claim.value ->> 'lease')))
            """,
        Complete: """
            UPDATE Tasks
            SET State = 'Completed', Output = done.value ->> 'output', FinishedAt = done.value ->> 'finishedAt', Error = NULL
            FROM json_each({0}) AS done
            WHERE Tasks.Id = done.value ->> 'id'
              AND Tasks.Attempt = done.value ->> 'attempt'
              AND Tasks.State = 'Running'
            RETURNING Tasks.Id AS Value
            """,
        NameJobs: """
            UPDATE Tasks
            SET JobId = named.value ->> 'to'
            FROM json_each({0}) AS named
            WHERE Tasks.Id = named.value ->> 'id'
              AND Tasks.Attempt = named.value ->> 'attempt'
              -- Found by its ID (+): the index on JobId would go through all rows without a job for each of them.
              AND +Tasks.JobId IS named.value ->> 'from'
              AND Tasks.State IN ('Pending', 'Running')
            RETURNING Tasks.Id AS Value
            """);
}
