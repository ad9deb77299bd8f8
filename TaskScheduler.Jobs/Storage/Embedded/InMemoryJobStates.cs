using Hangfire;
using TaskScheduler.Jobs.Execution;

namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>
/// Asks Hangfire job by job, which in memory costs next to nothing. No ID is ever given twice here, so whose job it is
/// need not be asked.
/// </summary>
public sealed class InMemoryJobStates(JobStorage storage) : IJobStates
{
    public Task<IReadOnlyDictionary<JobOfTask, string?>> FindAsync(
        IReadOnlyCollection<JobOfTask> jobs, CancellationToken cancel)
    {
        using var connection = storage.GetConnection();
        var states = new Dictionary<JobOfTask, string?>();
        foreach (var job in jobs)
        {
            if (connection.GetStateData(job.JobId) is { } state)
                states[job] = state.Name;
            else if (connection.GetJobData(job.JobId) is not null)
                states[job] = null;
        }

        return Task.FromResult<IReadOnlyDictionary<JobOfTask, string?>>(states);
    }

    /// <summary>Those in a queue: whoever took the others has them, or died with this store.</summary>
    public Task<IReadOnlyCollection<string>> FindEnqueuedAsync(CancellationToken cancel)
    {
        var monitoring = storage.GetMonitoringApi();
        var enqueued = monitoring.Queues().SelectMany(queue => monitoring.EnqueuedJobs(queue.Name, 0, (int)queue.Length));
        return Task.FromResult<IReadOnlyCollection<string>>([.. enqueued.Select(job => job.Key)]);
    }
}
