using Microsoft.EntityFrameworkCore.Query;

namespace TaskScheduler.Jobs.Tasks;

/// <summary>Everything that can happen to a task.</summary>
public enum TaskTransition
{
    /// <summary>An instance starts a task that is due.</summary>
    Claim,

    /// <summary>An instance starts a task whose running attempt has lost its lease.</summary>
    TakeOver,

    Complete,

    /// <summary>A shutdown returns a task that is not finished, or an instance one whose claim was not answered.</summary>
    GiveBack,

    /// <summary>The task's own work threw and tries are left.</summary>
    Retry,

    /// <summary>The task's own work threw and no tries are left.</summary>
    Fail,

    /// <summary>The task has not started since it was created, rescheduled or requeued, and had to by now.</summary>
    Expire,

    Requeue,

    Reschedule,

    Delete,
}

/// <summary>
/// The one transition table; what it does not allow changes no row. The statements of <see cref="Data.StoreSql"/> name states as
/// constants: a test tries every transition from every state. <c>docs/task-lifecycle.md</c> draws the table.
/// </summary>
public static class TaskTransitions
{
    public static IReadOnlyDictionary<TaskTransition, (ScheduledTaskState[] From, ScheduledTaskState To)> Table { get; } =
        new Dictionary<TaskTransition, (ScheduledTaskState[], ScheduledTaskState)>
        {
            [TaskTransition.Claim] = ([ScheduledTaskState.Pending], ScheduledTaskState.Running),
            [TaskTransition.TakeOver] = ([ScheduledTaskState.Running], ScheduledTaskState.Running),
            [TaskTransition.Complete] = ([ScheduledTaskState.Running], ScheduledTaskState.Completed),
            [TaskTransition.GiveBack] = ([ScheduledTaskState.Running], ScheduledTaskState.Pending),
            [TaskTransition.Retry] = ([ScheduledTaskState.Running], ScheduledTaskState.Pending),
            [TaskTransition.Fail] = ([ScheduledTaskState.Running], ScheduledTaskState.Failed),
            [TaskTransition.Expire] = ([ScheduledTaskState.Pending], ScheduledTaskState.Expired),
            [TaskTransition.Requeue] = ([ScheduledTaskState.Failed], ScheduledTaskState.Pending),
            [TaskTransition.Reschedule] = ([ScheduledTaskState.Pending], ScheduledTaskState.Pending),
            [TaskTransition.Delete] =
                ([.. Enum.GetValues<ScheduledTaskState>().Except([ScheduledTaskState.Deleted])], ScheduledTaskState.Deleted),
        };

    public static bool Allows(this TaskTransition transition, ScheduledTaskState from) => Table[transition].From.Contains(from);

    public static ScheduledTaskState Target(this TaskTransition transition) => Table[transition].To;

    /// <summary>The rows that <paramref name="transition"/> may move: the guard of every statement that moves one.</summary>
    public static IQueryable<ScheduledTask> ThatCan(this IQueryable<ScheduledTask> tasks, TaskTransition transition)
    {
        var from = Table[transition].From;
        return from is [var only] ? tasks.Where(t => t.State == only) : tasks.Where(t => from.Contains(t.State));
    }

    /// <summary>Moves those of the rows whose state allows it, and raises their version, so that their jobs follow.</summary>
    /// <returns>How many it moved.</returns>
    public static Task<int> MoveAsync(
        this IQueryable<ScheduledTask> tasks,
        TaskTransition transition,
        Action<UpdateSettersBuilder<ScheduledTask>> setters,
        CancellationToken cancel) => tasks.ThatCan(transition).ExecuteUpdateAsync(
            set => setters(set
                .SetProperty(t => t.State, transition.Target())
                .SetProperty(t => t.Version, t => t.Version + 1)
                .SetProperty(t => t.IsShown, false)),
            cancel);

    /// <summary>Returns those of the rows that run; it does not count as a try.</summary>
    public static Task<int> GiveBackAsync(this IQueryable<ScheduledTask> tasks, CancellationToken cancel) =>
        tasks.MoveAsync(TaskTransition.GiveBack, set => set.WithoutAttempt(), cancel);

    /// <summary>What the way from running back to pending clears; the attempt's number stays.</summary>
    public static UpdateSettersBuilder<ScheduledTask> WithoutAttempt(this UpdateSettersBuilder<ScheduledTask> set) => set
        .SetProperty(t => t.StartedAt, (DateTimeOffset?)null)
        .SetProperty(t => t.Instance, (string?)null)
        .SetProperty(t => t.InstanceId, (Guid?)null);
}
