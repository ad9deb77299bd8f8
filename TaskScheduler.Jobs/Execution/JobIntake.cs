using Hangfire.States;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Jobs.Execution;

/// <summary>Why a job is taken in.</summary>
public enum IntakeReason
{
    /// <summary>The queue delivered it.</summary>
    Enqueued,

    /// <summary>Its task should be running, or its end is not told yet.</summary>
    LeftBehind,
}

/// <summary>
/// Decides what a delivered job is good for by asking the task table: hold its task, or bring the job to the end that
/// the table says. Jobs arrive here from the queue, again when their claim was refused, and from the sweeper.
/// </summary>
public sealed class JobIntake(
    IDbContextFactory<TaskDbContext> contexts,
    HoldQueue holds,
    RunningTasks running,
    JobReporter reporter,
    TaskJobs jobs,
    IJobStates states,
    DashboardActs acts,
    TimeProvider clock,
    IOptions<ExecutionOptions> options)
{
    private static readonly Dictionary<string, Delivery> NoneRefused = [];

    /// <summary>Holds the tasks of those jobs that are worth it; the order does not matter.</summary>
    public Task TakeAsync(IReadOnlyCollection<string> jobIds, IntakeReason reason, CancellationToken cancel) =>
        TakeAsync(jobIds, reason, NoneRefused, cancel);

    /// <summary>
    /// Looks again at those whose claim was refused. If nothing changed in a row, whatever stands in the way gets some time.
    /// </summary>
    public Task TakeRefusedAsync(IEnumerable<Delivery> deliveries, CancellationToken cancel)
    {
        var refused = deliveries.ToDictionary(delivery => delivery.JobId);
        return TakeAsync(refused.Keys, IntakeReason.LeftBehind, refused, cancel);
    }

    private async Task TakeAsync(
        IReadOnlyCollection<string> jobIds,
        IntakeReason reason,
        Dictionary<string, Delivery> refused,
        CancellationToken cancel)
    {
        foreach (var group in jobIds.Distinct().Chunk(1_000))
        {
            await using var db = await contexts.CreateDbContextAsync(cancel);
            var rows = await db.Tasks.AsNoTracking()
                .Where(t => EF.Parameter(group).Contains(t.JobId))
                .ToDictionaryAsync(t => t.JobId!, cancel);
            var alive = rows.Values.Any(t => t.State == ScheduledTaskState.Running)
                ? await db.Instances.AliveAsync(clock, options.Value, cancel)
                : [];
            var failures = await FindFailuresAsync(db, rows, reason, refused.Count > 0, cancel);
            foreach (var jobId in group)
            {
                if (rows.TryGetValue(jobId, out var row))
                    Take(jobId, row, reason, refused.GetValueOrDefault(jobId), alive, failures);
                else if (refused.TryGetValue(jobId, out var delivery))
                    reporter.EndSpare(new(jobId, delivery.TaskId));
            }

            // Whoever takes what was left behind is in a hurry, and Hangfire may not answer.
            if (reason == IntakeReason.Enqueued)
                await EndSparesAsync([.. group.Where(jobId => !rows.ContainsKey(jobId))], cancel);
        }
    }

    /// <summary>
    /// Ends those jobs that no row names, of such for which this was seen once. The rows are asked again, for the tasks that
    /// the jobs carry: meanwhile the job store may have been lost, and a number given to the job of another task.
    /// </summary>
    public async Task EndSparesAsync(IReadOnlyCollection<string> jobIds, CancellationToken cancel)
    {
        if (jobIds.Count == 0)
            return;
        var started = jobs.FindStarted(jobIds);
        var ids = started.Select(job => job.TaskId).ToArray();
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var named = await db.Tasks
            .Where(t => EF.Parameter(ids).Contains(t.Id))
            .Select(t => new { t.Id, t.JobId })
            .ToDictionaryAsync(t => t.Id, t => t.JobId, cancel);
        foreach (var job in started.Where(job => named.GetValueOrDefault(job.TaskId) != job.JobId))
            reporter.EndSpare(job);
    }

    private void Take(
        string jobId,
        ScheduledTask row,
        IntakeReason reason,
        Delivery? refused,
        HashSet<Guid> alive,
        IReadOnlyCollection<string> failures)
    {
        switch (row.State)
        {
            case ScheduledTaskState.Pending:
                HoldOrReturn(jobId, row, reason, refused);
                break;
            case ScheduledTaskState.Running when running.Contains(row.Id):
                // Someone requeued the job of a task that is running here: the task goes on, the job shows it again.
                reporter.Held(jobId, row.Id, row.CreatedAt, row.DueAt);
                break;
            case ScheduledTaskState.Running when !alive.Contains(row.InstanceId!.Value):
                Hold(jobId, row, reason, refused, rescued: true);
                break;
            case ScheduledTaskState.Running:
                // It runs on another instance, which brings this job to its end; or here, and nobody knows: LostAttempts gives it back.
                break;
            case not ScheduledTaskState.Pending when refused is { IsShown: false }:
                // It was quicker elsewhere, and this instance has told nobody anything.
                break;
            case ScheduledTaskState.Failed:
                if (failures.Contains(jobId))
                    reporter.Report(jobId, row.Id, row.CreatedAt, new FailedState(new InvalidOperationException(row.Error)));
                break;
            case ScheduledTaskState.Completed:
                reporter.Succeeded(
                    jobId, row.Id, row.CreatedAt, row.StartedAt!.Value, row.FinishedAt!.Value, row.Output);
                break;
            case ScheduledTaskState.Deleted:
                reporter.Report(jobId, row.Id, row.CreatedAt, new OwnDeletedState("The task is deleted"));
                break;
        }
    }

    /// <summary>
    /// The failed ones whose jobs are to show it. A requeue on the dashboard is carried to the row by
    /// <see cref="Maintenance.DashboardMirror"/>; whatever else brings the job of a failed task here is nobody's wish.
    /// </summary>
    private async Task<IReadOnlyCollection<string>> FindFailuresAsync(
        TaskDbContext db, Dictionary<string, ScheduledTask> rows, IntakeReason reason, bool refused, CancellationToken cancel)
    {
        var failed = rows.Where(row => row.Value.State == ScheduledTaskState.Failed).Select(row => row.Key).ToList();
        // Whoever was refused has slots to fill and waits for no lock of Hangfire's; a wish is not forgotten by that.
        if (failed.Count == 0 || refused)
            return failed;
        var known = await states.FindAsync([.. failed.Select(jobId => new JobOfTask(jobId, rows[jobId].Id))], cancel);
        var noted = acts.Find(DashboardActs.Requeued).Select(act => act.Job).ToHashSet();
        var unasked = failed.Where(jobId => known.GetValueOrDefault(new(jobId, rows[jobId].Id)) == EnqueuedState.StateName
                ? !noted.Contains(new(jobId, rows[jobId].Id))
                // It was in the queue twice.
                : reason != IntakeReason.Enqueued)
            .ToArray();
        // What is not noted any more has been carried.
        return await db.Tasks
            .Where(t => EF.Parameter(unasked).Contains(t.JobId) && t.State == ScheduledTaskState.Failed)
            .Select(t => t.JobId!)
            .ToListAsync(cancel);
    }

    private void HoldOrReturn(string jobId, ScheduledTask row, IntakeReason reason, Delivery? refused)
    {
        // A schedule is kept in whole seconds, so a delivery may be a second ahead of the look-ahead. Further ahead than
        // that, someone triggered the job by hand.
        if (row.DueAt - options.Value.LookAhead - TimeSpan.FromSeconds(2) > clock.GetUtcNow())
            reporter.Report(jobId, row.Id, row.CreatedAt, jobs.Awaiting(row.DueAt, "Not due yet"));
        else
            Hold(jobId, row, reason, refused, rescued: false);
    }

    private void Hold(string jobId, ScheduledTask row, IntakeReason reason, Delivery? refused, bool rescued)
    {
        var delivery = new Delivery(jobId, row.Id, row.Kind, row.DueAt, row.Sequence, row.CreatedAt, rescued)
        {
            Attempt = row.Attempt,
            IsShown = refused?.IsShown ?? (reason == IntakeReason.Enqueued || row.DueAt > clock.GetUtcNow()),
        };
        if (refused?.IsSameRunAs(delivery) == true)
        {
            holds.Add(delivery.Refused(refused.Refusals + 1, clock.GetUtcNow()));
            return;
        }

        holds.Add(delivery);
        if (delivery.IsShown)
            reporter.Held(jobId, row.Id, row.CreatedAt, row.DueAt);
    }
}
