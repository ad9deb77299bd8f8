using Hangfire.States;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.Extensions.Logging;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Execution;

namespace TaskScheduler.Jobs.Tasks;

/// <summary>What became of a change that a client asked for.</summary>
/// <param name="Applied">Whether the task was in a state that allows it.</param>
/// <param name="Task">The task as it is now; null if there is none of that ID.</param>
public sealed record TaskChange(bool Applied, ScheduledTask? Task);

/// <summary>
/// What clients do to tasks that exist. The row decides; Hangfire is told afterwards, and what it refuses is repaired from
/// the row.
/// </summary>
public sealed partial class TaskClient(
    IDbContextFactory<TaskDbContext> contexts, TaskJobs jobs, TimeProvider clock, ILogger<TaskClient> logger)
{
    /// <summary>How long a client waits until the dashboard knows, too.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    /// <summary>The task as it is now; null if there is none of that ID.</summary>
    public async Task<ScheduledTask?> FindAsync(Guid id, CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        return await db.Tasks.AsNoTracking().SingleOrDefaultAsync(t => t.Id == id, cancel);
    }

    /// <summary>
    /// Deletes a task in any state, again and again if need be. A running attempt is stopped and never prints; an output
    /// that was committed before stays in the record.
    /// </summary>
    /// <returns>False if there is no task of that ID.</returns>
    public async Task<bool> DeleteAsync(Guid id, CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var deleted = await DeleteRowsAsync(db.Tasks.Where(t => t.Id == id), cancel);
        var task = await db.Tasks.AsNoTracking().SingleOrDefaultAsync(t => t.Id == id, cancel);
        if (deleted == 1)
            await TellHangfireAsync(task, _ => new OwnDeletedState("The task was deleted"), cancel);
        return task is not null;
    }

    /// <summary>Deletes the tasks whose own jobs were deleted on the dashboard.</summary>
    /// <returns>How many of them were not deleted yet.</returns>
    public async Task<int> DeleteByJobsAsync(IReadOnlyCollection<JobOfTask> jobs, CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        return await DeleteRowsAsync(Named(db, jobs), cancel);
    }

    /// <summary>
    /// Gives a pending task another time, also while it is held for its old one: an instance that holds it is refused at
    /// the old time, or gets it again before.
    /// </summary>
    public async Task<TaskChange> RescheduleAsync(Guid id, DateTimeOffset executeAt, CancellationToken cancel)
    {
        var dueAt = executeAt.RoundUpToMillisecond();
        var change = await ChangeAsync(
            id,
            TaskTransition.Reschedule,
            set => set
                .SetProperty(t => t.ExecuteAt, dueAt)
                .SetProperty(t => t.DueAt, dueAt),
            cancel);
        if (change.Applied)
            await TellWhenDueAsync(change.Task, "Rescheduled", cancel);
        return change;
    }

    /// <summary>Lets a failed task run again, with all its tries and at once if its time is past.</summary>
    public async Task<TaskChange> RequeueAsync(Guid id, CancellationToken cancel)
    {
        var change = await ChangeAsync(id, TaskTransition.Requeue, Requeue, cancel);
        if (change.Applied)
            await TellWhenDueAsync(change.Task, "Requeued", cancel);
        return change;
    }

    /// <summary>
    /// Lets the tasks run again whose failed jobs were requeued on the dashboard. They have been due since they ran, so the
    /// rescuer finds them at once.
    /// </summary>
    /// <returns>How many of them had failed.</returns>
    public async Task<int> RequeueByJobsAsync(IReadOnlyCollection<JobOfTask> jobs, CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        return await Named(db, jobs).ThatCan(TaskTransition.Requeue).ExecuteUpdateAsync(Requeue, cancel);
    }

    private static IQueryable<ScheduledTask> Named(TaskDbContext db, IReadOnlyCollection<JobOfTask> jobs)
    {
        var jobIds = jobs.Select(job => job.JobId).ToArray();
        var ids = jobs.Select(job => job.TaskId).ToArray();
        return db.Tasks.Where(t => EF.Parameter(jobIds).Contains(t.JobId) && EF.Parameter(ids).Contains(t.Id));
    }

    private static void Requeue(UpdateSettersBuilder<ScheduledTask> set) => set
        .SetProperty(t => t.State, TaskTransition.Requeue.Target())
        .SetProperty(t => t.DueAt, t => t.ExecuteAt)
        .SetProperty(t => t.Tries, 0)
        .SetProperty(t => t.Error, (string?)null)
        .SetProperty(t => t.FinishedAt, (DateTimeOffset?)null)
        .WithoutAttempt();

    /// <summary>
    /// Changes the row and reads it in one transaction, so that the answer shows this change and not the next one.
    /// </summary>
    private async Task<TaskChange> ChangeAsync(
        Guid id, TaskTransition transition, Action<UpdateSettersBuilder<ScheduledTask>> setters, CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        return await db.Database.CreateExecutionStrategy().ExecuteAsync(async stop =>
        {
            TaskChange change;
            do
            {
                await using var transaction = await db.Database.BeginTransactionAsync(stop);
                var changed = await db.Tasks.Where(t => t.Id == id).ThatCan(transition).ExecuteUpdateAsync(setters, stop);
                change = new(changed == 1, await db.Tasks.AsNoTracking().SingleOrDefaultAsync(t => t.Id == id, stop));
                await transaction.CommitAsync(stop);
            }
            // Somebody else's change came between the two statements: it would be refused for a state that allows it.
            while (change is { Applied: false, Task: { } task } && transition.Allows(task.State));
            return change;
        }, cancel);
    }

    private Task<int> DeleteRowsAsync(IQueryable<ScheduledTask> tasks, CancellationToken cancel)
    {
        var now = clock.GetUtcNow().RoundDownToMillisecond();
        return tasks.ThatCan(TaskTransition.Delete).ExecuteUpdateAsync(
            set => set
                .SetProperty(t => t.State, TaskTransition.Delete.Target())
                .SetProperty(t => t.DeletedAt, now),
            cancel);
    }

    /// <summary>The job follows its task, and who was overtaken by another change tells of that one.</summary>
    private async Task TellWhenDueAsync(ScheduledTask? task, string reason, CancellationToken cancel)
    {
        for (DateTimeOffset? told = null; task is { State: ScheduledTaskState.Pending } && task.DueAt != told;)
        {
            await TellHangfireAsync(task, pending => jobs.Awaiting(pending.DueAt, reason), cancel);
            told = task.DueAt;
            task = await FindAsync(task.Id, cancel);
        }
    }

    /// <summary>Within a moment: somebody who is frozen may hold the job's row, and the chores will tell Hangfire then.</summary>
    private async Task TellHangfireAsync(ScheduledTask? task, Func<ScheduledTask, IState> stateOf, CancellationToken cancel)
    {
        if (task is not { JobId: { } jobId })
            return;
        var change = new JobStateChange(jobId, task.Id, task.CreatedAt, stateOf(task));
        await Task.Run(() => ApplyAsync(change), CancellationToken.None)
            .WaitAsync(LongestWait, clock, cancel)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ApplyAsync(JobStateChange change)
    {
        try
        {
            await jobs.ApplyAsync([change], CancellationToken.None);
        }
#pragma warning disable CA1031 // Whatever goes wrong in the job store, the task table can make up for it.
        catch (Exception error)
#pragma warning restore CA1031
        {
            Log.HangfireFailed(logger, change.TaskId, error);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Hangfire did not take a change of task {TaskId}; it is repaired from the task table.")]
        public static partial void HangfireFailed(ILogger logger, Guid taskId, Exception error);
    }
}
