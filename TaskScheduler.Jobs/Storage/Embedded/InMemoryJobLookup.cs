namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>Asks Hangfire job by job, which in memory costs next to nothing.</summary>
public sealed class InMemoryJobLookup(JobStorage storage) : IJobLookup
{
    public Task<IReadOnlyDictionary<JobOfTask, string>> FindStatesAsync(
        IReadOnlyCollection<JobOfTask> jobs, CancellationToken cancel)
    {
        using var connection = storage.GetConnection();
        var states = new Dictionary<JobOfTask, string>();
        foreach (var job in jobs)
        {
            if (connection.GetStateData(job.JobId) is { } state)
                states[job] = state.Name;
        }

        return Task.FromResult<IReadOnlyDictionary<JobOfTask, string>>(states);
    }
}
