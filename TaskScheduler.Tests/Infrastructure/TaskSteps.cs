using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>What a task looks like on its way from one step to the next.</summary>
public static class TaskSteps
{
    /// <summary>The task as its job delivers it.</summary>
    public static Delivery Delivered(this ScheduledTask task, string? byJob = null, bool rescued = false) =>
        new(byJob ?? task.JobId!, task.Id, task.Kind, task.DueAt, task.Sequence, task.CreatedAt, rescued) { Attempt = task.Attempt };

    /// <summary>The latest attempt of a task that was claimed.</summary>
    public static ClaimedTask Attempted(this ScheduledTask task, int tries = 0) =>
        new(task.Delivered(), task.Attempt, tries, task.StartedAt ?? default, task.ClaimToken ?? default);

    public static (ClaimedTask Task, string Output) Finished(this ClaimedTask task) =>
        (task, task.Kind.Definition().OutputOf(task.Id));
}
