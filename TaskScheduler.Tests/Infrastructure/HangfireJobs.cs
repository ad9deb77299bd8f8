using Hangfire;
using Hangfire.Storage.Monitoring;
using TaskScheduler.Jobs.Projection;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>What Hangfire itself says of its jobs.</summary>
public static class HangfireJobs
{
    private const string EmptyPostgreSql = """
        DO $$ BEGIN
          EXECUTE (SELECT 'TRUNCATE ' || string_agg(format('hangfire.%I', tablename), ', ') || ' RESTART IDENTITY CASCADE'
            FROM pg_tables WHERE schemaname = 'hangfire' AND tablename <> 'schema');
        END $$
        """;

    private const string EmptySqlServer = """
        DELETE FROM hangfire.Job; DELETE FROM hangfire.JobQueue; DELETE FROM hangfire.[Hash]; DELETE FROM hangfire.[Set];
        DELETE FROM hangfire.List; DELETE FROM hangfire.Counter; DELETE FROM hangfire.AggregatedCounter;
        DBCC CHECKIDENT ('hangfire.Job', RESEED, 0)
        """;

    /// <summary>The name of the job's state; null if there is no such job or it was never given a state.</summary>
    public static string? StateOf(this JobStorage storage, string jobId)
    {
        using var connection = storage.GetConnection();
        return connection.GetStateData(jobId)?.Name;
    }

    /// <summary>The states of the job, oldest first.</summary>
    public static IReadOnlyList<StateHistoryDto> HistoryOf(this JobStorage storage, string jobId) =>
        [.. storage.GetMonitoringApi().JobDetails(jobId).History.Reverse()];

    /// <summary>The task that the job stands for; null if there is no such job.</summary>
    public static Guid? TaskOf(this JobStorage storage, string jobId)
    {
        using var connection = storage.GetConnection();
        return TaskJob.TaskOf(connection.GetJobData(jobId)?.Job);
    }

    /// <summary>How many jobs the dashboard has in its lists.</summary>
    public static long CountShown(this JobStorage storage)
    {
        var monitoring = storage.GetMonitoringApi();
        return monitoring.ScheduledCount() + monitoring.ProcessingCount() + monitoring.FailedCount()
            + monitoring.SucceededListCount() + monitoring.DeletedListCount();
    }

    /// <summary>Empties Hangfire's tables, as an operator may. The next job gets the number of the first.</summary>
    public static Task EmptyJobsAsync(this ITestStore store) => store switch
    {
        PostgreSqlTestStore => store.ExecuteAsync(EmptyPostgreSql),
        SqlServerTestStore => store.ExecuteAsync(EmptySqlServer),
        _ => throw new NotSupportedException("Its jobs are in the memory of its instance."),
    };
}
