using Hangfire;
using TaskScheduler.Jobs.Execution;

namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>Asks Hangfire job by job, which in memory costs next to nothing.</summary>
public sealed class InMemoryJobStates(JobStorage storage) : IJobStates
{
    public Task<IReadOnlyDictionary<string, string?>> FindAsync(
        IReadOnlyCollection<string> jobIds, CancellationToken cancel)
    {
        using var connection = storage.GetConnection();
        var states = new Dictionary<string, string?>();
        foreach (var jobId in jobIds)
        {
            if (connection.GetStateData(jobId) is { } state)
                states[jobId] = state.Name;
            else if (connection.GetJobData(jobId) is not null)
                states[jobId] = null;
        }

        return Task.FromResult<IReadOnlyDictionary<string, string?>>(states);
    }
}
