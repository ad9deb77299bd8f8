using System.Transactions;
using Hangfire.States;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Storage;

namespace TaskScheduler.Jobs.Tasks;

/// <summary>
/// What clients do to tasks. The row decides; Hangfire is told afterwards, and what it refuses is repaired from the row.
/// </summary>
public sealed partial class TaskClient(
    IDbContextFactory<TaskDbContext> contexts, ITaskStore store, TaskJobs jobs, TimeProvider clock, ILogger<TaskClient> logger)
{
    /// <summary>How long a client waits until the dashboard knows, too.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    private static readonly TransactionOptions ReadCommitted = new() { IsolationLevel = IsolationLevel.ReadCommitted };

    /// <summary>
    /// Creates a task and its job. Once the row is committed the task is accepted, whatever Hangfire says then.
    /// </summary>
    /// <exception cref="DbUpdateException">The task table did not take the row.</exception>
    public async Task<ScheduledTask> CreateAsync(TaskKind kind, DateTimeOffset executeAt, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var id = Guid.CreateVersion7(now);
        ScheduledTask Named(string? jobId) => ScheduledTask.Create(kind, executeAt, now, jobId, id);
        return store.SharesTransactions
            ? await CreateTogetherAsync(Named, id, cancel)
            : await CreateRowFirstAsync(Named, id, cancel);
    }

    /// <summary>Row and job in one commit; if Hangfire fails, the row alone.</summary>
    private async Task<ScheduledTask> CreateTogetherAsync(
        Func<string?, ScheduledTask> named, Guid id, CancellationToken cancel)
    {
        try
        {
            using var both = new TransactionScope(
                TransactionScopeOption.RequiresNew, ReadCommitted, TransactionScopeAsyncFlowOption.Enabled);
            var task = named(jobs.Create(id));
            await InsertAsync(task, cancel);
            jobs.ApplyFirst(new JobStateChange(task.JobId!, id, task.CreatedAt, jobs.Awaiting(task.DueAt)));
            both.Complete();
            return task;
        }
#pragma warning disable CA1031 // Whatever went wrong: the row alone is enough, and if it cannot be written this says so.
        catch (Exception error) when (!cancel.IsCancellationRequested)
#pragma warning restore CA1031
        {
            Log.HangfireFailed(logger, id, error);
        }

        return await CreateAloneAsync(named, id, cancel);
    }

    /// <summary>The row without a job, unless it is there: its commit may have gone through with only the answer lost.</summary>
    private async Task<ScheduledTask> CreateAloneAsync(
        Func<string?, ScheduledTask> named, Guid id, CancellationToken cancel)
    {
        if (await FindAsync(id, cancel) is { } created)
            return created;
        var alone = named(null);
        try
        {
            await InsertAsync(alone, cancel);
            return alone;
        }
        catch (DbUpdateException error) when (store.IsUniqueViolation(error))
        {
            // That commit came between our look and our insert: it is the same task.
            if (await FindAsync(id, cancel) is { } late)
                return late;
            throw;
        }
    }

    /// <summary>
    /// The job exists before the row that names it and gets its state after it: a delivery always finds its row.
    /// </summary>
    private async Task<ScheduledTask> CreateRowFirstAsync(
        Func<string?, ScheduledTask> named, Guid id, CancellationToken cancel)
    {
        string? jobId = null;
        await AskHangfireAsync(id, () => Task.FromResult(jobId = jobs.Create(id)));
        var task = named(jobId);
        try
        {
            await InsertAsync(task, cancel);
        }
        catch (DbUpdateException error) when (store.IsUniqueViolation(error))
        {
            // A job store that was lost counts from 1 again, and an old row names the job of that number.
            return await CreateAloneAsync(named, id, cancel);
        }
        catch (DbUpdateException) when (!cancel.IsCancellationRequested)
        {
            // Perhaps only the answer is lost, and what is committed is accepted.
            if (await FindAsync(id, cancel) is null)
                throw;
        }

        if (task.JobId is not null)
        {
            await AskHangfireAsync(id, () =>
            {
                jobs.ApplyFirst(new JobStateChange(task.JobId, id, task.CreatedAt, jobs.Awaiting(task.DueAt)));
                return Task.CompletedTask;
            });
        }

        return task;
    }

    private async Task InsertAsync(ScheduledTask task, CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        db.Tasks.Add(task);
        await db.SaveChangesAsync(cancel);
    }

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
        if (deleted == 1 && task is { JobId: not null })
        {
            // Somebody who is frozen may hold the job's row; the sweeper will tell Hangfire then.
            await Task.Run(() => TellHangfireAsync(task, new OwnDeletedState("The task was deleted")), CancellationToken.None)
                .WaitAsync(LongestWait, clock, cancel)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return task is not null;
    }

    /// <summary>Deletes the tasks whose own jobs were deleted on the dashboard.</summary>
    /// <returns>How many of them were not deleted yet.</returns>
    public async Task<int> DeleteByJobsAsync(IReadOnlyCollection<string> jobIds, CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var ids = jobIds.ToArray();
        return await DeleteRowsAsync(db.Tasks.Where(t => EF.Parameter(ids).Contains(t.JobId)), cancel);
    }

    /// <summary>Lets a failed task run again, with all its tries and at once if its time is past.</summary>
    /// <returns>The task; null if it was not failed.</returns>
    public async Task<ScheduledTask?> RequeueAsync(Guid id, CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var requeued = await db.Tasks.Where(t => t.Id == id).ThatCan(TaskTransition.Requeue).ExecuteUpdateAsync(
            set => set
                .SetProperty(t => t.State, TaskTransition.Requeue.Target())
                .SetProperty(t => t.DueAt, t => t.ExecuteAt)
                .SetProperty(t => t.Tries, 0)
                .SetProperty(t => t.Error, (string?)null)
                .SetProperty(t => t.FinishedAt, (DateTimeOffset?)null)
                .WithoutAttempt(),
            cancel);
        return requeued == 0 ? null : await db.Tasks.AsNoTracking().SingleAsync(t => t.Id == id, cancel);
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

    private Task TellHangfireAsync(ScheduledTask task, IState state) => AskHangfireAsync(
        task.Id,
        () => jobs.ApplyAsync([new JobStateChange(task.JobId!, task.Id, task.CreatedAt, state)], CancellationToken.None));

    private async Task AskHangfireAsync(Guid taskId, Func<Task> ask)
    {
        try
        {
            await ask();
        }
#pragma warning disable CA1031 // Whatever goes wrong in the job store, the task table can make up for it.
        catch (Exception error)
#pragma warning restore CA1031
        {
            Log.HangfireFailed(logger, taskId, error);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Hangfire did not take the job of task {TaskId}; it will be repaired from the task table.")]
        public static partial void HangfireFailed(ILogger logger, Guid taskId, Exception error);
    }
}
