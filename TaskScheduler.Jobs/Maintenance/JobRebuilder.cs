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
    IDbContextFactory<TaskDbContext> contexts, TaskRescuer rescuer, TaskJobs jobs, TimeProvider clock) : MaintenanceProcess(clock)
{
    private const int Batch = 200;
    private const int RestPerWork = 4;
    private static readonly TimeSpan BetweenRounds = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BetweenFullRounds = TimeSpan.FromMinutes(10);

    /// <summary>How far the rounds between two full ones look ahead.</summary>
    private static readonly TimeSpan Near = TimeSpan.FromMinutes(1);

    /// <summary>A row this young may still be waiting for the creation of its job to finish.</summary>
    private static readonly TimeSpan Creation = TimeSpan.FromSeconds(5);

    private static readonly string[] Ended = [SucceededState.StateName, FailedState.StateName];

    private (DateTimeOffset DueAt, long Sequence)? _last;
    private DateTimeOffset _horizon;
    private long? _lastFullRound;

    public override async Task<TimeSpan> RunOnceAsync(CancellationToken stop)
    {
        var started = Clock.GetTimestamp();
        if (_last is null)
            BeginRound(started);
        var rows = await NextBatchAsync(stop);
        await rescuer.RescueAsync([.. rows.Where(IsLetDown)], row => jobs.Awaiting(row.DueAt, "Rebuilt from the task table"), stop);
        _last = rows.Count < Batch ? null : (rows[^1].DueAt, rows[^1].Sequence);
        return _last is null ? BetweenRounds : Clock.GetElapsedTime(started) * RestPerWork;
    }

    private void BeginRound(long started)
    {
        var full = _lastFullRound is not { } last || Clock.GetElapsedTime(last) >= BetweenFullRounds;
        if (full)
            _lastFullRound = started;
        _horizon = full ? DateTimeOffset.MaxValue : Clock.GetUtcNow() + Near;
    }

    private async Task<List<ScheduledTask>> NextBatchAsync(CancellationToken cancel)
    {
        var now = Clock.GetUtcNow();
        var (dueAt, sequence) = _last ?? (now, 0);
        var createdBefore = now - Creation;
        await using var db = await contexts.CreateDbContextAsync(cancel);
        return await db.Tasks.AsNoTracking()
            .Where(t => t.State == ScheduledTaskState.Pending && t.DueAt >= dueAt && t.DueAt <= _horizon
                && (t.DueAt > dueAt || t.Sequence > sequence)
                && t.CreatedAt < createdBefore)
            .OrderBy(t => t.DueAt).ThenBy(t => t.Sequence)
            .Take(Batch)
            .ToListAsync(cancel);
    }

    private bool IsLetDown(ScheduledTask row) =>
        row.JobId is null || jobs.StateOf(row.JobId) is not { } state || Ended.Contains(state);
}
