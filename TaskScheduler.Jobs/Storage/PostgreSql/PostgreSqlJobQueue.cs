using System.Data;
using Hangfire.PostgreSql;
using Hangfire.Storage;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Storage.Server;

namespace TaskScheduler.Jobs.Storage.PostgreSql;

/// <summary>
/// Makes Hangfire enqueue into our table, within its own transactions, and shows the table on the dashboard. Jobs are
/// taken from it by <see cref="TableJobQueue"/>, not by Hangfire.
/// </summary>
public sealed class PostgreSqlJobQueue(TableJobQueue table)
    : IPersistentJobQueueProvider, IPersistentJobQueue, IPersistentJobQueueMonitoringApi
{
    public IPersistentJobQueue GetJobQueue() => this;

    public IPersistentJobQueueMonitoringApi GetJobQueueMonitoringApi() => this;

    public void Enqueue(IDbConnection connection, string queue, string jobId)
    {
        ArgumentNullException.ThrowIfNull(connection);
        using var command = connection.CreateCommand();
        // A job whose row was removed is due at once, to be thrown away.
        command.CommandText = """
            INSERT INTO scheduler."JobQueue" ("JobId", "DueAt")
            VALUES (@jobId, coalesce((SELECT "DueAt" FROM scheduler."Tasks" WHERE "JobId" = @jobId), clock_timestamp()))
            """;
        var parameter = command.CreateParameter();
        (parameter.ParameterName, parameter.Value) = ("jobId", jobId);
        command.Parameters.Add(parameter);
        command.ExecuteNonQuery();
    }

    public IFetchedJob Dequeue(string[] queues, CancellationToken cancellationToken) =>
        throw new NotSupportedException("Tasks are run by TaskScheduler's own worker, not by a Hangfire worker.");

    public IEnumerable<string> GetQueues() => [TaskJobs.Queue];

    public IEnumerable<long> GetEnqueuedJobIds(string queue, int from, int perPage) => table.Page(from, perPage);

    /// <summary>A job that an instance has taken is not in the queue any more.</summary>
    public IEnumerable<long> GetFetchedJobIds(string queue, int from, int perPage) => [];

    public EnqueuedAndFetchedCountDto GetEnqueuedAndFetchedCount(string queue) =>
        new() { EnqueuedCount = table.Count(), FetchedCount = 0 };
}
