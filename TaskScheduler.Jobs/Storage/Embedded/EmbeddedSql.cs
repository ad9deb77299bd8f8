using TaskScheduler.Jobs.Data;

namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>The set-based statements in SQLite's dialect.</summary>
public static class EmbeddedSql
{
    public static StoreSql Statements { get; } = new(
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
              AND Tasks.JobId IS named.value ->> 'from'
              AND Tasks.State IN ('Pending', 'Running')
            RETURNING Tasks.Id AS Value
            """);
}
