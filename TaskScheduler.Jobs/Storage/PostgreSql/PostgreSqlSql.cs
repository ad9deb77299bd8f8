using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Storage.Server;

namespace TaskScheduler.Jobs.Storage.PostgreSql;

/// <summary>
/// The set-based statements in PostgreSQL's dialect. Each locks its rows in the order of their sequence numbers, so that
/// two of them never wait for each other; the claim waits for nobody.
/// </summary>
public static class PostgreSqlSql
{
    public static StoreSql Statements { get; } = new(
        Claim: """
            WITH claim AS MATERIALIZED (
              SELECT *, (
                  SELECT jsonb_object_agg(j.job, jsonb_build_array(j.id, j.attempt))
                  FROM jsonb_to_recordset(jobs) AS j(job text, id uuid, attempt integer)) AS tasks
              FROM jsonb_to_record({0}::jsonb)
                AS c(jobs jsonb, token uuid, instance text, "instanceId" uuid, lease bigint)),
            startable AS (
              SELECT t."Sequence"
              FROM scheduler."Tasks" AS t
              WHERE t."JobId" = ANY (ARRAY(SELECT jsonb_object_keys(tasks) FROM claim))
                AND t."Id"::text = (SELECT tasks FROM claim) #>> ARRAY[t."JobId", '0']
                AND t."ClaimToken" IS DISTINCT FROM (SELECT token FROM claim)
                AND ((t."State" = 'Pending' AND t."DueAt" <= clock_timestamp())
                  OR (t."State" = 'Running'
                    AND t."Attempt"::text = (SELECT tasks FROM claim) #>> ARRAY[t."JobId", '1'] AND NOT EXISTS (
                    SELECT 1 FROM scheduler."Instances" AS i
                    WHERE i."Id" = t."InstanceId"
                      AND i."SeenAt" > clock_timestamp() - (SELECT lease FROM claim) * interval '1 millisecond')))
              ORDER BY t."Sequence"
              FOR UPDATE SKIP LOCKED)
            UPDATE scheduler."Tasks" AS t
            SET "State" = 'Running', "Attempt" = t."Attempt" + 1,
                "StartedAt" = date_trunc('milliseconds', clock_timestamp()),
                "Instance" = claim.instance, "InstanceId" = claim."instanceId", "ClaimToken" = claim.token
            FROM startable, claim
            WHERE t."Sequence" = startable."Sequence"
            """,
        Complete: """
            WITH done AS (
              SELECT t."Sequence", d.output, d."finishedAt"
              FROM jsonb_to_recordset({0}::jsonb) AS d(id uuid, attempt integer, output text, "finishedAt" bigint)
              JOIN scheduler."Tasks" AS t ON t."Id" = d.id AND t."Attempt" = d.attempt AND t."State" = 'Running'
              ORDER BY t."Sequence"
              FOR UPDATE OF t)
            UPDATE scheduler."Tasks" AS t
            SET "State" = 'Completed', "Output" = done.output, "Error" = NULL,
                "FinishedAt" = to_timestamp(done."finishedAt" / 1000.0)
            FROM done
            WHERE t."Sequence" = done."Sequence"
            RETURNING t."Id" AS "Value"
            """,
        NameJobs: """
            WITH named AS (
              SELECT t."Sequence", n."to"
              FROM jsonb_to_recordset({0}::jsonb) AS n(id uuid, attempt integer, "from" text, "to" text)
              JOIN scheduler."Tasks" AS t ON t."Id" = n.id AND t."Attempt" = n.attempt
                AND t."JobId" IS NOT DISTINCT FROM n."from" AND t."State" IN ('Pending', 'Running')
              ORDER BY t."Sequence"
              FOR UPDATE OF t)
            UPDATE scheduler."Tasks" AS t
            SET "JobId" = named."to"
            FROM named
            WHERE t."Sequence" = named."Sequence"
            RETURNING t."Id" AS "Value"
            """);

    public static ServerSql ServerStatements { get; } = new(
        TakeJobs: """
            DELETE FROM scheduler."JobQueue"
            WHERE "Id" = ANY (ARRAY(
              SELECT "Id" FROM scheduler."JobQueue" WHERE "DueAt" <= {1} ORDER BY "DueAt" LIMIT {0} FOR UPDATE SKIP LOCKED))
            RETURNING "JobId" AS "Value"
            """,
        JobStates: """
            SELECT id::text AS "JobId", statename AS "State", arguments::text AS "Arguments"
            FROM hangfire.job
            WHERE id = ANY (ARRAY(SELECT jsonb_array_elements_text({0}::jsonb)::bigint))
            """,
        EnqueuedJobs: """
            SELECT id::text AS "Value" FROM hangfire.job WHERE statename = {0} AND invocationdata::text LIKE {1}
            """,
        Now: """SELECT clock_timestamp() AS "Value" """);
}
