using Hangfire;
using Hangfire.Storage;
using Hangfire.Storage.Monitoring;
using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Jobs.Maintenance;

/// <summary>
/// Ends the jobs whose row is finished, or that no row names: what a crash between a commit and its report left behind.
/// Looks at the jobs that Hangfire believes in progress or enqueued, at a page of those that are scheduled, and at the rows
/// that were deleted or ended lately, whatever their jobs show.
/// </summary>
/// <remarks>
/// Each instance ends its own, and one of them the rest: if all did all, one slow report would make every instance write
/// the same states, and each wait for the others' row locks.
/// </remarks>
public sealed class FinishedJobSweeper(
    IDbContextFactory<TaskDbContext> contexts,
    JobStorage storage,
    JobIntake intake,
    JobReporter reporter,
    TaskJobs jobs,
    IJobStates states,
    TimeProvider clock) : MaintenanceProcess(clock)
{
    private const int Page = 1_000;
    private const int MostAtOnce = 10_000;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Two heartbeats and some more. With a round on top, what an instance left behind is in order within half a minute;
    /// of one that is only slow the jobs are swept twice, which does no harm.
    /// </summary>
    private static readonly TimeSpan Silence = HangfireServers.HeartbeatInterval * 2.4;

    /// <summary>The worker's own report of a row that ended just now is still on its way.</summary>
    private static readonly TimeSpan UnderWay = TimeSpan.FromSeconds(5);

    /// <summary>How far back deletions are looked at: several rounds, so that a missed one does not matter.</summary>
    private static readonly TimeSpan Lately = TimeSpan.FromMinutes(5);

    /// <summary>The same for what ended; there may be many more of them.</summary>
    private static readonly TimeSpan JustNow = TimeSpan.FromMinutes(1);

    /// <summary>How far back an instance looks in its first rounds: nobody may have been there to end what a killed one had done.</summary>
    private static readonly TimeSpan BeforeTheStart = TimeSpan.FromDays(1);

    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);

    /// <summary>How many scheduled jobs were looked at in this walk through them; there may be a million.</summary>
    private int _scheduled;

    private DateTimeOffset? _looked;

    /// <summary>What has not been looked at yet of the time before.</summary>
    private (DateTimeOffset From, DateTimeOffset To)? _before;

    public override async Task<TimeSpan> RunOnceAsync(CancellationToken stop)
    {
        await using var db = await contexts.CreateDbContextAsync(stop);
        var monitoring = storage.GetMonitoringApi();
        var alive = monitoring.Alive(Silence, Clock);
        var isFirst = alive.Order(StringComparer.Ordinal).FirstOrDefault(reporter.ServerId) == reporter.ServerId;
        var open = Processing(monitoring)
            .Where(job => job.Value?.Job?.Type == typeof(TaskJob)
                && (job.Value.ServerId == reporter.ServerId || (isFirst && !alive.Contains(job.Value.ServerId))))
            .Select(job => job.Key)
            .ToArray();
        if (isFirst)
        {
            open =
            [
                .. open,
                .. await states.FindEnqueuedAsync(stop),
                .. NextScheduled(monitoring),
            ];
        }

        var rows = await db.Tasks
            .Where(t => EF.Parameter(open).Contains(t.JobId))
            .Select(t => new { t.JobId, EndedAt = t.DeletedAt ?? t.FinishedAt })
            .ToDictionaryAsync(t => t.JobId!, t => t.EndedAt, stop);
        var endedBefore = Clock.GetUtcNow() - UnderWay;
        await intake.TakeAsync(
            [.. rows.Where(row => row.Value < endedBefore).Select(row => row.Key)], IntakeReason.LeftBehind, stop);
        await intake.EndSparesAsync([.. open.Where(jobId => !rows.ContainsKey(jobId))], stop);
        if (!isFirst)
            return Interval;

        var since = Clock.GetUtcNow().RoundDownToMillisecond() - Lately;
        var deleted = await db.Tasks.AsNoTracking()
            .Where(t => t.DeletedAt != null && t.DeletedAt >= since && t.JobId != null)
            .OrderByDescending(t => t.DeletedAt)
            .Take(MostAtOnce)
            .Select(t => new { t.JobId, t.Id, t.CreatedAt })
            .ToListAsync(stop);
        await jobs.ApplyAsync(
            [.. deleted.Select(t => new JobStateChange(
                t.JobId!, t.Id, t.CreatedAt, new OwnDeletedState("The task was deleted")))],
            stop);
        await EndNeverStartedAsync(db, stop);
        return Interval;
    }

    /// <summary>Each round what ended lately, and a page of what ended before that, the latest first.</summary>
    private async Task EndNeverStartedAsync(TaskDbContext db, CancellationToken stop)
    {
        var now = Clock.GetUtcNow().RoundDownToMillisecond();
        var (from, to) = _before ?? (now - BeforeTheStart, now - JustNow);
        if (to > from)
        {
            var earliest = await EndNeverStartedAsync(db, from, to, stop);
            // Never so many ended in one millisecond.
            to = earliest is null ? from : earliest.Value + Millisecond < to ? earliest.Value + Millisecond : to - Millisecond;
        }

        var lately = (_looked ?? now) - JustNow;
        if (await EndNeverStartedAsync(db, lately, now - UnderWay, stop) is { } left)
            (from, to) = (to > from ? from : lately, left + Millisecond);
        (_before, _looked) = ((from, to), now);
    }

    /// <returns>When the earliest ended that was looked at, if there may be more before; null if that was all.</returns>
    private async Task<DateTimeOffset?> EndNeverStartedAsync(
        TaskDbContext db, DateTimeOffset from, DateTimeOffset to, CancellationToken stop)
    {
        var ended = await db.Tasks.AsNoTracking()
            .Where(t => t.FinishedAt >= from && t.FinishedAt < to && t.DeletedAt == null && t.JobId != null)
            .OrderByDescending(t => t.FinishedAt)
            .Take(MostAtOnce)
            .Select(t => new { t.JobId, t.Id, t.State, t.FinishedAt })
            .ToListAsync(stop);
        var known = await states.FindAsync([.. ended.Select(t => new JobOfTask(t.JobId!, t.Id))], stop);
        await intake.TakeAsync(
            [
                .. ended
                    .Where(t => known.TryGetValue(new(t.JobId!, t.Id), out var shown) && !MayShow(t.State, shown))
                    .Select(t => t.JobId!),
            ],
            IntakeReason.LeftBehind,
            stop);
        return ended.Count == MostAtOnce ? ended[^1].FinishedAt : null;
    }

    /// <summary>Its end; or <c>Processing</c>, which is looked at by instance; or <c>Deleted</c>, which is somebody's wish.</summary>
    private static bool MayShow(ScheduledTaskState state, string? shown) =>
        shown is "Processing" or "Deleted" || shown == (state == ScheduledTaskState.Completed ? "Succeeded" : "Failed");

    /// <summary>
    /// Whoever gives a job to a row and is frozen before it gives the job its state, may do that when the row has another
    /// job already.
    /// </summary>
    private IEnumerable<string> NextScheduled(IMonitoringApi monitoring)
    {
        var page = monitoring.ScheduledJobs(_scheduled, Page);
        _scheduled = page.Count < Page ? 0 : _scheduled + Page;
        return page.Where(job => job.Value?.Job?.Type == typeof(TaskJob)).Select(job => job.Key);
    }

    private static IEnumerable<KeyValuePair<string, ProcessingJobDto>> Processing(IMonitoringApi monitoring)
    {
        for (var from = 0; ; from += Page)
        {
            var page = monitoring.ProcessingJobs(from, Page);
            foreach (var job in page)
                yield return job;
            if (page.Count < Page)
                yield break;
        }
    }
}
