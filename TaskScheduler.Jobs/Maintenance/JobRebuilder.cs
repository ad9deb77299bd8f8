using Hangfire.States;
using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Jobs.Maintenance;

/// <summary>
/// Walks through the rows that are not due yet, nearest first, and gives a new job to each whose job is missing or has
/// ended: after a start on the embedded store all of them, elsewhere what a crash or a lost job store left behind. There
/// is no hurry (the rescuer takes what falls due), so it rests longer than it works.
/// </summary>
public sealed class JobRebuilder(
    IDbContextFactory<TaskDbContext> contexts, IJobStates states, TaskRescuer rescuer, TaskJobs jobs, TimeProvider clock)
    : MaintenanceProcess(clock)
{
    private const int Batch = 1_000;
    private const int RestPerWork = 4;
    private static readonly TimeSpan BetweenRounds = TimeSpan.FromSeconds(10);

    /// <summary>Where a batch was in order the next will be, too: two statements in this time disturb nobody.</summary>
    private static readonly TimeSpan AfterNothingToDo = TimeSpan.FromSeconds(4);

    /// <summary>A row this young may still be waiting for the creation of its job to finish.</summary>
    private static readonly TimeSpan Creation = TimeSpan.FromSeconds(5);

    private static readonly string[] Ended = [SucceededState.StateName, FailedState.StateName];

    private (DateTimeOffset DueAt, long Sequence)? _last;

    public override async Task<TimeSpan> RunOnceAsync(CancellationToken stop)
    {
        var started = Clock.GetTimestamp();
        var rows = await NextBatchAsync(stop);
        var known = await states.FindAsync([.. rows.Where(row => row.JobId is not null).Select(JobOf)], stop);
        var letDown = rows
            .Where(row => row.JobId is null || known.GetValueOrDefault(JobOf(row)) is not { } state || Ended.Contains(state))
            .ToList();
        await rescuer.GiveJobsAsync(letDown, row => jobs.Awaiting(row.DueAt, "Rebuilt from the task table"), stop);
        _last = rows.Count < Batch ? null : (rows[^1].DueAt, rows[^1].Sequence);
        if (_last is null)
            return BetweenRounds;
        return letDown.Count == 0 ? AfterNothingToDo : Clock.GetElapsedTime(started) * RestPerWork;
    }

    private static JobOfTask JobOf(ScheduledTask row) => new(row.JobId!, row.Id);

    private async Task<List<ScheduledTask>> NextBatchAsync(CancellationToken cancel)
    {
        var now = Clock.GetUtcNow();
        var (dueAt, sequence) = _last ?? (now, 0);
        var createdBefore = now - Creation;
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var pending = db.Tasks.AsNoTracking().Where(t => t.State == ScheduledTaskState.Pending && t.CreatedAt < createdBefore);
        // Two lookups: as one condition, every batch among a million tasks due at one moment would read all of these.
        var sameMoment = pending.Where(t => t.DueAt == dueAt && t.Sequence > sequence).OrderBy(t => t.Sequence).Take(Batch);
        var later = pending.Where(t => t.DueAt > dueAt).OrderBy(t => t.DueAt).ThenBy(t => t.Sequence).Take(Batch);
        return await sameMoment.Concat(later)
            .OrderBy(t => t.DueAt).ThenBy(t => t.Sequence)
            .Take(Batch)
            .ToListAsync(cancel);
    }
}
