namespace TaskScheduler.Jobs.Projection;

/// <summary>
/// Finds the states of many jobs: in Hangfire's table with one statement, because its storage answers for one job at a time;
/// where there is no table, in memory, job by job.
/// </summary>
public sealed class JobLookup(IDbContextFactory<TaskDbContext> contexts, StoreSql sql, JobStorage storage)
{
    /// <returns>The names by task ID, empty without a state; null without a job, or if it is gone or stands for another task.</returns>
    public async Task<IReadOnlyDictionary<Guid, string?>> FindStatesAsync(
        IReadOnlyCollection<ScheduledTask> rows, CancellationToken cancel)
    {
        if (rows.Count == 0)
            return new Dictionary<Guid, string?>();
        if (sql.JobStates is null)
        {
            using var connection = storage.GetConnection();
            return rows.ToDictionary(row => row.Id, row => row.JobId is not { } id ? null
                : connection.GetStateData(id)?.Name ?? (connection.GetJobData(id) is null ? null : ""));
        }

        await using var db = await contexts.CreateDbContextAsync(cancel);
        var jobs = JsonSerializer.Serialize(rows.Select(row => row.JobId));
        var found = (await db.QueryAsync<JobState>(sql.JobStates, jobs, cancel)).ToDictionary(job => job.JobId);
        // The task's ID is the only argument of its job that looks like one.
        return rows.ToDictionary(row => row.Id, row => found.GetValueOrDefault(row.JobId ?? "") is { } job
            && job.Arguments.Contains($"{row.Id}", StringComparison.OrdinalIgnoreCase) ? job.State ?? "" : null);
    }

    private sealed record JobState(string JobId, string? State, string Arguments);
}
