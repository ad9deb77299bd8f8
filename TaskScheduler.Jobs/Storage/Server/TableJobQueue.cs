using System.Globalization;
using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Execution;

namespace TaskScheduler.Jobs.Storage.Server;

/// <summary>
/// The queue of tasks as a table of ours, which Hangfire fills through its queue provider: one statement takes many jobs,
/// where Hangfire's own queues cost two statements each. What an instance took and died with is found in the task table.
/// </summary>
public sealed class TableJobQueue(IDbContextFactory<ServerTaskDbContext> contexts, ServerSql sql) : IJobQueue
{
    public bool IsShared => true;

    public async Task<IReadOnlyList<string>> TakeAsync(int most, DateTimeOffset dueBy, CancellationToken stop)
    {
        await using var db = await contexts.CreateDbContextAsync(stop);
        return await db.Database.SqlQueryRaw<string>(sql.TakeJobs, most, dueBy).ToListAsync(stop);
    }

    /// <summary>For the dashboard: the first jobs in the queue.</summary>
    public IReadOnlyList<long> Page(int from, int count)
    {
        using var db = contexts.CreateDbContext();
        return
        [
            .. db.JobQueue.OrderBy(job => job.DueAt).ThenBy(job => job.Id).Skip(from).Take(count).Select(job => job.JobId).AsEnumerable()
                .Select(jobId => long.Parse(jobId, CultureInfo.InvariantCulture)),
        ];
    }

    /// <summary>For the dashboard: how many jobs are in the queue.</summary>
    public int Count()
    {
        using var db = contexts.CreateDbContext();
        return db.JobQueue.Count();
    }
}
