using System.Transactions;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Storage;

namespace TaskScheduler.Jobs.Tasks;

/// <summary>What became of a request to create tasks.</summary>
public enum CreationOutcome
{
    Created,

    /// <summary>The same request was answered before under this key; these are the tasks that it created then.</summary>
    Replayed,

    /// <summary>Another request was answered under this key; nothing was created.</summary>
    KeyReused,

    /// <summary>A request with this key is under way and did not end soon; nothing was created.</summary>
    KeyInUse,
}

/// <param name="Outcome">What became of the request.</param>
/// <param name="Tasks">The tasks in the order of the request, as they were created; none if there are none.</param>
public sealed record Creation(CreationOutcome Outcome, IReadOnlyList<ScheduledTask> Tasks);

/// <summary>
/// Creates tasks and their jobs, all of a request or none. Once the rows are committed the tasks are accepted, whatever
/// Hangfire says then; what it refused is repaired from the rows.
/// </summary>
public sealed partial class TaskCreator(
    IDbContextFactory<TaskDbContext> contexts,
    ITaskStore store,
    TaskJobs jobs,
    TaskMetrics metrics,
    TimeProvider clock,
    ILogger<TaskCreator> logger)
{
    /// <summary>
    /// How long a request waits for another one with its key: less than others wait for the slot that it has meanwhile.
    /// </summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    private static readonly TransactionOptions ReadCommitted = new() { IsolationLevel = IsolationLevel.ReadCommitted };

    /// <summary>Creates one task.</summary>
    /// <exception cref="DbUpdateException">The task table did not take the row.</exception>
    public async Task<ScheduledTask> CreateAsync(TaskKind kind, DateTimeOffset executeAt, CancellationToken cancel) =>
        (await CreateAsync([new NewTask(kind, executeAt)], key: null, cancel)).Tasks[0];

    /// <summary>
    /// Creates tasks, unless the key was used before. Key and tasks are one commit: a crash leaves both or neither.
    /// </summary>
    /// <exception cref="DbUpdateException">The task table did not take the rows.</exception>
    public async Task<Creation> CreateAsync(IReadOnlyList<NewTask> request, IdempotencyKey? key, CancellationToken cancel)
    {
        var draft = new Draft(request, key, clock.GetUtcNow());
        if (await FindAnswerAsync(draft, cancel) is { } answer)
            return answer;
        try
        {
            var creation = store.SharesTransactions
                ? await CreateTogetherAsync(draft, cancel)
                : await CreateRowsFirstAsync(draft, cancel);
            metrics.Created(creation.Tasks);
            return creation;
        }
        catch (KeyTakenException)
        {
            return await FindAnswerAsync(draft, cancel) ?? new(CreationOutcome.KeyInUse, []);
        }
    }

    /// <summary>Rows and jobs in one commit; if Hangfire fails, the rows alone.</summary>
    private async Task<Creation> CreateTogetherAsync(Draft draft, CancellationToken cancel)
    {
        var connected = false;
        Exception failure;
        try
        {
            using var both = new TransactionScope(
                TransactionScopeOption.RequiresNew, ReadCommitted, TransactionScopeAsyncFlowOption.Enabled);
            await using (var db = await contexts.CreateDbContextAsync(cancel))
            {
                // The transaction keeps it. Hangfire would hold a thread while it waits for one.
                await db.Database.OpenConnectionAsync(cancel);
                connected = true;
                await UseKeyAsync(db, draft, cancel);
            }

            var tasks = draft.Tasks(CreateJobs(draft));
            await using (var db = await contexts.CreateDbContextAsync(cancel))
            {
                db.Tasks.AddRange(tasks);
                await db.SaveChangesAsync(cancel);
            }

            StartJobs(tasks);
            both.Complete();
            return new(CreationOutcome.Created, tasks);
        }
        catch (DbUpdateException error) when (!store.IsUniqueViolation(error))
        {
            // The task table would refuse them without jobs, too, and nothing is committed.
            throw;
        }
#pragma warning disable CA1031 // Whatever went wrong: the rows alone are enough, and if they cannot be written this says so.
        catch (Exception error) when (connected && error is not KeyTakenException && !cancel.IsCancellationRequested)
#pragma warning restore CA1031
        {
            failure = error;
        }

        var creation = await CreateAloneAsync(draft, cancel);
        Log.HangfireFailed(logger, draft.Ids.Count, draft.Ids[0], failure);
        return creation;
    }

    /// <summary>
    /// The jobs exist before the rows that name them and get their states after them: a delivery always finds its row.
    /// </summary>
    private async Task<Creation> CreateRowsFirstAsync(Draft draft, CancellationToken cancel)
    {
        IReadOnlyList<string>? jobIds = null;
        AskHangfire(draft, () => jobIds = CreateJobs(draft));
        IReadOnlyList<ScheduledTask> tasks;
        try
        {
            tasks = await InsertAsync(draft, jobIds, cancel);
        }
        catch (DbUpdateException error) when (store.IsUniqueViolation(error))
        {
            // A job store that was lost counts from 1 again, and an old row names the job of that number.
            return await CreateAloneAsync(draft, cancel);
        }
        catch (Exception error) when (error is not KeyTakenException && !cancel.IsCancellationRequested)
        {
            // Perhaps only the answer is lost, and what is committed is accepted.
            if (await FindCreatedAsync(draft, cancel) is not { } created)
                throw;
            tasks = created;
        }

        if (jobIds is not null)
            AskHangfire(draft, () => StartJobs(tasks));
        return new(CreationOutcome.Created, tasks);
    }

    /// <summary>The rows without jobs, unless they are there: their commit may have gone through with only the answer lost.</summary>
    private async Task<Creation> CreateAloneAsync(Draft draft, CancellationToken cancel)
    {
        if (await FindCreatedAsync(draft, cancel) is { } created)
            return new(CreationOutcome.Created, created);
        try
        {
            return new(CreationOutcome.Created, await InsertAsync(draft, jobIds: null, cancel));
        }
        catch (Exception error) when (error is KeyTakenException
            || (error is DbUpdateException refused && store.IsUniqueViolation(refused)))
        {
            // That commit came between our look and our insert: these are the same tasks. Or somebody else used the key.
            if (await FindCreatedAsync(draft, cancel) is { } late)
                return new(CreationOutcome.Created, late);
            throw;
        }
    }

    /// <summary>Key and rows in one transaction.</summary>
    private async Task<IReadOnlyList<ScheduledTask>> InsertAsync(
        Draft draft, IReadOnlyList<string>? jobIds, CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        // Neither a deadlock's victim nor what it was to insert is left in the context.
        return await db.Database.CreateExecutionStrategy().ExecuteAsync(async stop =>
        {
            db.ChangeTracker.Clear();
            var tasks = draft.Tasks(jobIds);
            if (draft.Key is null)
            {
                db.Tasks.AddRange(tasks);
                await db.SaveChangesAsync(stop);
                return tasks;
            }

            await using var transaction = await db.Database.BeginTransactionAsync(stop);
            await UseKeyAsync(db, draft, stop);
            db.Tasks.AddRange(tasks);
            await db.SaveChangesAsync(stop);
            await transaction.CommitAsync(stop);
            return tasks;
        }, cancel);
    }

    /// <summary>First of all, because a transaction that uses the same key waits here until it knows how the other one ends.</summary>
    /// <exception cref="KeyTakenException">It was used, or the wait was too long.</exception>
    private async Task UseKeyAsync(TaskDbContext db, Draft draft, CancellationToken cancel)
    {
        if (draft.Key is null)
            return;
        var usual = db.Database.GetCommandTimeout();
        db.Database.SetCommandTimeout(LongestWait);
        try
        {
            db.IdempotencyKeys.Add(new UsedIdempotencyKey(draft.Key, draft.Ids, draft.Now));
            await db.SaveChangesAsync(cancel);
        }
        catch (DbUpdateException error) when (store.IsUniqueViolation(error) || store.IsTimeout(error))
        {
            throw new KeyTakenException(error);
        }
        finally
        {
            db.Database.SetCommandTimeout(usual);
        }
    }

    /// <summary>What a request with this key was answered; null if none was.</summary>
    private async Task<Creation?> FindAnswerAsync(Draft draft, CancellationToken cancel)
    {
        if (draft.Key is not { } key)
            return null;
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var used = await db.IdempotencyKeys.AsNoTracking().SingleOrDefaultAsync(k => k.Id == key.Id, cancel);
        if (used is null)
            return null;
        return used.Request == key.Request
            ? new(CreationOutcome.Replayed, used.TasksOf(draft.Request))
            : new(CreationOutcome.KeyReused, []);
    }

    /// <summary>The rows of this very draft, with whatever jobs they name; null if they are not there.</summary>
    private async Task<IReadOnlyList<ScheduledTask>?> FindCreatedAsync(Draft draft, CancellationToken cancel)
    {
        var ids = draft.Ids.ToArray();
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var rows = await db.Tasks.AsNoTracking().Where(t => EF.Parameter(ids).Contains(t.Id)).ToListAsync(cancel);
        // All of them were one commit.
        return rows.Count == 0 ? null : [.. rows.OrderBy(row => Array.IndexOf(ids, row.Id))];
    }

    private List<string> CreateJobs(Draft draft) => [.. draft.Ids.Select(jobs.Create)];

    private void StartJobs(IEnumerable<ScheduledTask> tasks) => jobs.ApplyFirst(
        [.. tasks.Select(task => new JobStateChange(task.JobId!, task.Id, task.CreatedAt, jobs.Awaiting(task.DueAt)))]);

    private void AskHangfire(Draft draft, Action ask)
    {
        try
        {
            ask();
        }
#pragma warning disable CA1031 // Whatever goes wrong in the job store, the task table can make up for it.
        catch (Exception error)
#pragma warning restore CA1031
        {
            Log.HangfireFailed(logger, draft.Ids.Count, draft.Ids[0], error);
        }
    }

    /// <summary>What a request will be, however often it has to be tried.</summary>
    private sealed record Draft(IReadOnlyList<NewTask> Request, IdempotencyKey? Key, DateTimeOffset Now)
    {
        public IReadOnlyList<Guid> Ids { get; } = [.. Request.Select(_ => Guid.CreateVersion7(Now))];

        public IReadOnlyList<ScheduledTask> Tasks(IReadOnlyList<string>? jobIds) =>
            [.. Request.Select((task, i) => ScheduledTask.Create(task.Kind, task.ExecuteAt, Now, jobIds?[i], Ids[i]))];
    }

    private sealed class KeyTakenException(Exception cause) : Exception("The idempotency key is taken.", cause);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning,
            "Hangfire did not take the jobs of {Count} tasks (the first is {TaskId}); they are repaired from the task table.")]
        public static partial void HangfireFailed(ILogger logger, int count, Guid taskId, Exception error);
    }
}
