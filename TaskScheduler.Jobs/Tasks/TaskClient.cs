namespace TaskScheduler.Jobs.Tasks;

/// <summary>What became of a change that a client asked for.</summary>
/// <param name="Applied">Whether the task was in a state that allows it.</param>
/// <param name="Task">The task as it is now; null if there is none of that ID.</param>
public sealed record TaskChange(bool Applied, ScheduledTask? Task);

/// <summary>What clients do to tasks that exist, over the API and on the dashboard. The row decides; its job follows.</summary>
public sealed class TaskClient(
    IDbContextFactory<TaskDbContext> contexts, TaskAlarm alarm, JobProjector projector, TimeProvider clock)
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
            projector.Wake();
        return deleted > 0 || await db.Tasks.AnyAsync(t => t.Id == id, cancel);
    }

    public Task<TaskChange> RescheduleAsync(Guid id, DateTimeOffset executeAt, CancellationToken cancel) =>
        ChangeAsync(id, TaskTransition.Reschedule, task => task.Reschedule(executeAt), cancel);

    /// <summary>Lets a failed task run again, with all its tries and at once if its time is past.</summary>
    public Task<TaskChange> RequeueAsync(Guid id, CancellationToken cancel) =>
        ChangeAsync(id, TaskTransition.Requeue, task => task.Requeue(), cancel);

    /// <summary>
    /// Changes the row that was read, unless it changed meanwhile: so the answer shows this change and not the next one,
    /// and no transaction stays open while this process may be frozen.
    /// </summary>
    private async Task<TaskChange> ChangeAsync(
        Guid id, TaskTransition transition, Action<ScheduledTask> change, CancellationToken cancel)
    {
        while (true)
        {
            await using var db = await contexts.CreateDbContextAsync(cancel);
            var task = await db.Tasks.SingleOrDefaultAsync(t => t.Id == id, cancel);
            if (task is null || !transition.Allows(task.State))
                return new(false, task);
            change(task);
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

            alarm.SetFor(task.DueAt);
            projector.Wake();
            return new(true, task);
        }
    }
}
