namespace TaskScheduler.Jobs.Tasks;

/// <summary>What became of a change that a client asked for.</summary>
/// <param name="Task">The task as it is now; null if there is none of that ID.</param>
/// <param name="Refusal">Why nothing was changed, as a sentence; null if something was, or if there is no task.</param>
public sealed record TaskChange(ScheduledTask? Task, string? Refusal)
{
    public bool Applied => Task is not null && Refusal is null;
}

/// <summary>Another time for a task.</summary>
/// <param name="ExecuteAt">When it shall run.</param>
/// <param name="KeepsExpireAt">Whether the time by which it must have started stays.</param>
/// <param name="ExpireAt">If not, the new one; null if it may start at any time.</param>
public sealed record NewTime(DateTimeOffset ExecuteAt, bool KeepsExpireAt = true, DateTimeOffset? ExpireAt = null);

/// <summary>What clients do to tasks that exist, over the API and on the dashboard. The row decides; its job follows.</summary>
public sealed class TaskClient(
    IDbContextFactory<TaskDbContext> contexts, TaskAlarm alarm, JobProjector projector, RequestedChanges changes, TimeProvider clock)
{
    public async Task<ScheduledTask?> FindAsync(Guid id, CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        return await db.Tasks.AsNoTracking().SingleOrDefaultAsync(t => t.Id == id, cancel);
    }

    /// <summary>Deletes a task in any state. A running attempt is stopped and never prints; a committed output is kept.</summary>
    /// <returns>False if there is no task of that ID.</returns>
    public async Task<bool> DeleteAsync(Guid id, CancellationToken cancel)
    {
        var now = clock.GetUtcNow().RoundDownToMillisecond();
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var deleted = await db.Tasks.Where(t => t.Id == id)
            .MoveAsync(TaskTransition.Delete, set => set.SetProperty(t => t.DeletedAt, now), cancel);
        if (deleted > 0)
        {
            projector.Wake();
            changes.Add(TaskTransition.Delete, id);
        }

        return deleted > 0 || await db.Tasks.AnyAsync(t => t.Id == id, cancel);
    }

    /// <summary>Gives a pending task another time, before the one by which it must have started.</summary>
    public Task<TaskChange> RescheduleAsync(Guid id, NewTime time, CancellationToken cancel) => ChangeAsync(
        id,
        TaskTransition.Reschedule,
        task =>
        {
            var expireAt = time.KeepsExpireAt ? task.ExpireAt : time.ExpireAt;
            if (!TaskTransition.Reschedule.Allows(task.State))
                return $"The task is {task.State}; only a {ScheduledTaskState.Pending} task can be given another time.";
            if (expireAt <= time.ExecuteAt)
                return $"The task expires at {Shown(expireAt.Value)}, and must have a time before that. Give it another expireAt, or null.";
            task.Reschedule(time.ExecuteAt, expireAt);
            return null;
        },
        cancel);

    /// <summary>Lets a failed task run again, with all its tries and at once if its time is past.</summary>
    public Task<TaskChange> RequeueAsync(Guid id, CancellationToken cancel) => ChangeAsync(
        id,
        TaskTransition.Requeue,
        task =>
        {
            if (!TaskTransition.Requeue.Allows(task.State))
                return $"The task is {task.State}; only a {ScheduledTaskState.Failed} task can be requeued.";
            if (task.ExpireAt <= clock.GetUtcNow())
                return $"The task had to start before {Shown(task.ExpireAt.Value)}, and cannot run again after that.";
            task.Requeue();
            return null;
        },
        cancel);

    /// <summary>
    /// Changes the row that was read, unless it changed meanwhile: so the answer shows this change and not the next one,
    /// and no transaction stays open while this process may be frozen.
    /// </summary>
    /// <param name="id">The task's ID.</param>
    /// <param name="transition">What the change is.</param>
    /// <param name="change">Changes the row, or says why it cannot be changed.</param>
    /// <param name="cancel">Ends the wait.</param>
    private async Task<TaskChange> ChangeAsync(
        Guid id, TaskTransition transition, Func<ScheduledTask, string?> change, CancellationToken cancel)
    {
        while (true)
        {
            await using var db = await contexts.CreateDbContextAsync(cancel);
            var task = await db.Tasks.SingleOrDefaultAsync(t => t.Id == id, cancel);
            if (task is null)
                return new(null, Refusal: null);
            if (change(task) is { } refusal)
                return new(task, refusal);
            // The row may have been shown since it was read. EF leaves out a column that it finds unchanged.
            db.Entry(task).Property(t => t.IsShown).IsModified = true;
            try
            {
                await db.SaveChangesAsync(cancel);
            }
            catch (DbUpdateConcurrencyException)
            {
                continue;
            }

            alarm.SetFor(task);
            projector.Wake();
            changes.Add(transition, id);
            return new(task, Refusal: null);
        }
    }

    private static string Shown(DateTimeOffset time) => $"{time.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}";
}
