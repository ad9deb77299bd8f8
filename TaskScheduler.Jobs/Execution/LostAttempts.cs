using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// Stops the attempts that the task table no longer knows: their task was deleted, or taken over, or the whole table is
/// gone. One query over everything this instance runs.
/// </summary>
public sealed class LostAttempts(IDbContextFactory<TaskDbContext> contexts, RunningTasks running)
{
    public async Task StopAsync(CancellationToken cancel)
    {
        var attempts = running.All;
        if (attempts.Count == 0)
            return;
        var current = await FindAsync([.. attempts.Select(attempt => attempt.Task.Id)], cancel);
        foreach (var attempt in attempts)
        {
            if (current.GetValueOrDefault(attempt.Task.Id) != attempt.Task.Attempt)
                attempt.Stop(giveBack: false);
        }
    }

    private async Task<Dictionary<Guid, int>> FindAsync(Guid[] ids, CancellationToken cancel)
    {
        try
        {
            await using var db = await contexts.CreateDbContextAsync(cancel);
            return await db.Tasks
                .Where(t => EF.Parameter(ids).Contains(t.Id) && t.State == ScheduledTaskState.Running)
                .Select(t => new { t.Id, t.Attempt })
                .ToDictionaryAsync(t => t.Id, t => t.Attempt, cancel);
        }
        catch (StorageUnavailableException)
        {
            // Gone for good: nobody could find what they come to.
            return [];
        }
    }
}
