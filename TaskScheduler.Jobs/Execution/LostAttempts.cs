using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// Compares what this instance runs with what the task table says that it runs, in one query. Stops the attempts that the
/// table no longer knows: their task was deleted or taken over. Gives back those that this
/// instance does not know: a claim whose connection broke can be committed after its repetition has found nothing.
/// </summary>
public sealed partial class LostAttempts(
    IDbContextFactory<TaskDbContext> contexts,
    RunningTasks running,
    InstanceIdentity instance,
    TimeProvider clock,
    IOptions<ExecutionOptions> options,
    ILogger<LostAttempts> logger)
{
    public async Task ReconcileAsync(CancellationToken cancel)
    {
        var attempts = running.All;
        var rows = await FindAsync(cancel);
        var known = rows.Select(row => (row.Id, row.Attempt)).ToHashSet();
        foreach (var attempt in attempts.Where(attempt => !known.Contains((attempt.Task.Id, attempt.Task.Attempt))))
            attempt.Stop(giveBack: false);

        // The answer to a younger claim may still be on its way.
        var before = clock.GetUtcNow() - options.Value.Lease;
        Guid[] unknown = [.. rows.Where(row => row.StartedAt < before && !running.Contains(row.Id)).Select(row => row.Id)];
        if (unknown.Length > 0)
            await GiveBackAsync(unknown, before, cancel);
    }

    private async Task<IReadOnlyCollection<(Guid Id, int Attempt, DateTimeOffset StartedAt)>> FindAsync(CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var rows = await db.Tasks
            .Where(t => t.InstanceId == instance.Id && t.State == ScheduledTaskState.Running)
            .Select(t => new { t.Id, t.Attempt, t.StartedAt })
            .ToListAsync(cancel);
        return [.. rows.Select(row => (row.Id, row.Attempt, row.StartedAt!.Value))];
    }

    private async Task GiveBackAsync(Guid[] unknown, DateTimeOffset before, CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var count = await db.Tasks
            .Where(t => EF.Parameter(unknown).Contains(t.Id) && t.InstanceId == instance.Id && t.StartedAt < before)
            .GiveBackAsync(cancel);
        if (count > 0)
            Log.GaveBack(logger, count);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Gave back {Count} tasks: this instance had claimed them and never got the answer.")]
        public static partial void GaveBack(ILogger logger, int count);
    }
}
