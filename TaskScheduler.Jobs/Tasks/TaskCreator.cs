namespace TaskScheduler.Jobs.Tasks;

/// <summary>A task that a client asks for.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="ExecuteAt">When it shall run.</param>
/// <param name="Label">A text of the client's own.</param>
/// <param name="ExpireAt">By when it must have started, after <paramref name="ExecuteAt"/>.</param>
public sealed record NewTask(TaskKind Kind, DateTimeOffset ExecuteAt, string? Label = null, DateTimeOffset? ExpireAt = null);

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
/// <param name="Tasks">The tasks in the order of the request, as they were created.</param>
public sealed record Creation(CreationOutcome Outcome, IReadOnlyList<ScheduledTask> Tasks);

/// <summary>Creates tasks, all of a request or none. Committed rows are accepted tasks; their jobs follow.</summary>
public sealed class TaskCreator(
    IDbContextFactory<TaskDbContext> contexts,
    ITaskStore store,
    TaskInserter inserter,
    TaskAlarm alarm,
    JobProjector projector,
    TaskMetrics metrics,
    TimeProvider clock)
{
    /// <summary>Creates tasks, unless the key was used before. A crash leaves both key and tasks, or neither.</summary>
    /// <exception cref="DbException">The task table did not take the rows.</exception>
    public async Task<Creation> CreateAsync(IReadOnlyList<NewTask> request, IdempotencyKey? key, CancellationToken cancel)
    {
        if (key is not null && await FindAnswerAsync(request, key, cancel) is { } answer)
            return answer;
        var now = clock.GetUtcNow();
        List<ScheduledTask> tasks =
            [.. request.Select(task => ScheduledTask.Create(task, now, Guid.CreateVersion7(now)))];
        try
        {
            await inserter.InsertAsync(tasks, key, cancel);
        }
        catch (DbException error) when (key is not null && (store.IsUniqueViolation(error) || store.IsTimeout(error)))
        {
            // The other request with this key may have been this one, whose answer was lost.
            return await FindAnswerAsync(request, key, cancel) ?? new(CreationOutcome.KeyInUse, []);
        }
        catch (Exception) when (!cancel.IsCancellationRequested)
        {
            // Perhaps only the answer is lost. What is committed is accepted, and all tasks of a request are one commit.
            var first = tasks[0].Id;
            await using var db = await contexts.CreateDbContextAsync(cancel);
            if (!await db.Tasks.AnyAsync(t => t.Id == first, cancel))
                throw;
        }

        alarm.SetFor(tasks);
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
}
