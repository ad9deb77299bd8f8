using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// Stops the attempts that the task table no longer knows: their task was deleted, or taken over. One query over
/// everything this instance runs.
/// </summary>
public sealed class LostAttempts(IDbContextFactory<TaskDbContext> contexts, RunningTasks running)
{
    public async Task StopAsync(CancellationToken cancel)
    {
        var attempts = running.All;
        if (attempts.Count == 0)
            return;
        var ids = attempts.Select(attempt => attempt.Task.Id).ToArray();
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var current = await db.Tasks
            .Where(t => EF.Parameter(ids).Contains(t.Id) && t.State == ScheduledTaskState.Running)
            .Select(t => new { t.Id, t.Attempt })
            .ToDictionaryAsync(t => t.Id, t => t.Attempt, cancel);
        foreach (var attempt in attempts)
        {
            if (current.GetValueOrDefault(attempt.Task.Id) != attempt.Task.Attempt)
                attempt.Stop(giveBack: false);
        }
    }
}
