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
/// Creates tasks, all of a request or none. Once the rows are committed the tasks are accepted. Their jobs follow.
/// </summary>
public sealed class TaskCreator(
    IDbContextFactory<TaskDbContext> contexts,
    ITaskStore store,
    TaskInserter inserter,
    TaskAlarm alarm,
    JobProjector projector,
    TaskMetrics metrics,
    TimeProvider clock)
{
    /// <summary>Creates one task.</summary>
    /// <exception cref="DbException">The task table did not take the row.</exception>
    public async Task<ScheduledTask> CreateAsync(TaskKind kind, DateTimeOffset executeAt, CancellationToken cancel) =>
        (await CreateAsync([new NewTask(kind, executeAt)], key: null, cancel)).Tasks[0];

    /// <summary>
    /// Creates tasks, unless the key was used before. Key and tasks are one commit: a crash leaves both or neither.
    /// </summary>
    /// <exception cref="DbException">The task table did not take the rows.</exception>
    public async Task<Creation> CreateAsync(IReadOnlyList<NewTask> request, IdempotencyKey? key, CancellationToken cancel)
    {
        if (key is not null && await FindAnswerAsync(request, key, cancel) is { } answer)
            return answer;
        var now = clock.GetUtcNow();
        List<ScheduledTask> tasks =
            [.. request.Select(task => ScheduledTask.Create(task.Kind, task.ExecuteAt, now, Guid.CreateVersion7(now)))];
        try
        {
            await (key is null ? inserter.InsertAsync(tasks, cancel) : inserter.InsertAsync(tasks, key, cancel));
        }
        catch (DbException error) when (key is not null && (store.IsUniqueViolation(error) || store.IsTimeout(error)))
        {
            // The other request with this key may have been this one, whose answer was lost.
            return await FindAnswerAsync(request, key, cancel) ?? new(CreationOutcome.KeyInUse, []);
        }
        catch (Exception) when (!cancel.IsCancellationRequested)
        {
            // Perhaps only the answer is lost, and what is committed is accepted.
            if (!await ExistsAsync(tasks[0].Id, cancel))
                throw;
        }

        alarm.SetFor(tasks.Select(task => task.DueAt));
        projector.Wake();
        metrics.Created(tasks);
        return new(CreationOutcome.Created, tasks);
    }

    /// <summary>What a request with this key was answered; null if none was.</summary>
    private async Task<Creation?> FindAnswerAsync(IReadOnlyList<NewTask> request, IdempotencyKey key, CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var used = await db.IdempotencyKeys.AsNoTracking().SingleOrDefaultAsync(k => k.Id == key.Id, cancel);
        if (used is null)
            return null;
        return used.Request == key.Request
            ? new(CreationOutcome.Replayed, used.TasksOf(request))
            : new(CreationOutcome.KeyReused, []);
    }

    /// <summary>All tasks of a request are one commit.</summary>
    private async Task<bool> ExistsAsync(Guid id, CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        return await db.Tasks.AnyAsync(t => t.Id == id, cancel);
    }
}
