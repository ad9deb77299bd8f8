using System.Data;
using System.Data.Common;
using Hangfire.SqlServer;
using Hangfire.Storage;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Storage.Server;

namespace TaskScheduler.Jobs.Storage.SqlServer;

/// <summary>
/// Makes Hangfire enqueue into our table, within its own transactions, and shows the table on the dashboard. Jobs are
/// taken from it by <see cref="TableJobQueue"/>, not by Hangfire.
/// </summary>
public sealed class SqlServerJobQueue(TableJobQueue table)
    : IPersistentJobQueueProvider, IPersistentJobQueue, IPersistentJobQueueMonitoringApi
{
    public IPersistentJobQueue GetJobQueue() => this;

    public IPersistentJobQueueMonitoringApi GetJobQueueMonitoringApi() => this;

    public void Enqueue(DbConnection connection, DbTransaction transaction, string queue, string jobId)
    {
        using var command = EnqueueCommand(connection, transaction, jobId);
        command.ExecuteNonQuery();
    }

    public static DbCommand EnqueueCommand(DbConnection connection, DbTransaction? transaction, string jobId)
    {
        ArgumentNullException.ThrowIfNull(connection);
        var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = SqlServerSql.Enqueue;
        var parameter = command.CreateParameter();
        // As wide as the column whatever the ID, so that there is one plan for it.
        (parameter.ParameterName, parameter.DbType, parameter.Size, parameter.Value) = ("@jobId", DbType.String, 64, jobId);
        command.Parameters.Add(parameter);
        return command;
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
