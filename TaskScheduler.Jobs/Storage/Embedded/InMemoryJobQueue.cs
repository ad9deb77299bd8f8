using Hangfire;
using TaskScheduler.Jobs.Execution;

namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>Hangfire's queue in memory, which waits for its next job by itself.</summary>
public sealed class InMemoryJobQueue(JobStorage storage) : IJobQueue
{
    public bool IsShared => false;

    public Task<IReadOnlyList<string>> TakeAsync(int most, DateTimeOffset dueBy, CancellationToken stop)
    {
        using var connection = storage.GetConnection();
        using var fetched = connection.FetchNextJob([TaskJobs.Queue], stop);
        fetched.RemoveFromQueue();
        return Task.FromResult<IReadOnlyList<string>>([fetched.JobId]);
    }
}
