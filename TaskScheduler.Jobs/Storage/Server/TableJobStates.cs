using System.Text.Json;
using Hangfire.States;
using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Execution;

namespace TaskScheduler.Jobs.Storage.Server;

/// <summary>
/// Asks Hangfire's job table for many jobs in one statement: its storage API answers for one at a time, and of those that are
/// enqueued it lists only the ones in a queue.
/// </summary>
public sealed class TableJobStates(IDbContextFactory<TaskDbContext> contexts, ServerSql sql) : IJobStates
{
    private const int MostAtOnce = 1_000;

    public async Task<IReadOnlyDictionary<JobOfTask, string?>> FindAsync(
        IReadOnlyCollection<JobOfTask> jobs, CancellationToken cancel)
    {
        var states = new Dictionary<JobOfTask, string?>();
        await using var db = await contexts.CreateDbContextAsync(cancel);
        foreach (var group in jobs.Chunk(MostAtOnce))
        {
            var found = await db.Database
                .SqlQueryRaw<JobState>(sql.JobStates, JsonSerializer.Serialize(group.Select(job => job.JobId).Distinct()))
                .ToDictionaryAsync(job => job.JobId, cancel);
            foreach (var job in group)
            {
                if (found.TryGetValue(job.JobId, out var state) && state.Carries(job.TaskId))
                    states[job] = state.State;
            }
        }

        return states;
    }

    public async Task<IReadOnlyCollection<string>> FindEnqueuedAsync(CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        return await db.Database
            .SqlQueryRaw<string>(sql.EnqueuedJobs, EnqueuedState.StateName, $"%{typeof(TaskJob).FullName}%")
            .ToListAsync(cancel);
    }

    private sealed record JobState(string JobId, string? State, string Arguments)
    {
        /// <summary>The task's ID is the only argument of its job.</summary>
        public bool Carries(Guid taskId) => Arguments.Contains($"{taskId}", StringComparison.OrdinalIgnoreCase);
    }
}
