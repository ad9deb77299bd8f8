namespace TaskScheduler.Jobs.Storage.Server;

/// <summary>Asks Hangfire's job table for many jobs in one statement: its storage API answers for one at a time.</summary>
public sealed class TableJobLookup(IDbContextFactory<TaskDbContext> contexts, StoreSql sql) : IJobLookup
{
    public async Task<IReadOnlyDictionary<JobOfTask, string>> FindStatesAsync(
        IReadOnlyCollection<JobOfTask> jobs, CancellationToken cancel)
    {
        if (jobs.Count == 0)
            return new Dictionary<JobOfTask, string>();
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var found = await db.Database
            .SqlQueryRaw<JobState>(sql.JobStates!, JsonSerializer.Serialize(jobs.Select(job => job.JobId)))
            .ToDictionaryAsync(job => job.JobId, cancel);
        var shown = jobs.Where(job => found.TryGetValue(job.JobId, out var state) && state.State is not null && state.Carries(job.TaskId));
        return shown.ToDictionary(job => job, job => found[job.JobId].State!);
    }

    private sealed record JobState(string JobId, string? State, string Arguments)
    {
        /// <summary>The task's ID is the only argument of its job.</summary>
        public bool Carries(Guid taskId) => Arguments.Contains($"{taskId}", StringComparison.OrdinalIgnoreCase);
    }
}
