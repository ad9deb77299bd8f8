using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Execution;

namespace TaskScheduler.Jobs.Storage.Server;

/// <summary>Asks Hangfire's job table for many jobs in one statement.</summary>
public sealed class TableJobStates(IDbContextFactory<TaskDbContext> contexts, ServerSql sql) : IJobStates
{
    private const int MostAtOnce = 1_000;

    public async Task<IReadOnlyDictionary<string, string?>> FindAsync(
        IReadOnlyCollection<string> jobIds, CancellationToken cancel)
    {
        var states = new Dictionary<string, string?>();
        await using var db = await contexts.CreateDbContextAsync(cancel);
        foreach (var group in jobIds.Chunk(MostAtOnce))
        {
            var found = await db.Database
                .SqlQueryRaw<JobState>(sql.JobStates, JsonSerializer.Serialize(group))
                .ToListAsync(cancel);
            foreach (var job in found)
                states[job.JobId] = job.State;
        }

        return states;
    }

    private sealed record JobState(string JobId, string? State);
}
