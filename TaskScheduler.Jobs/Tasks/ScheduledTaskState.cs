namespace TaskScheduler.Jobs.Tasks;

/// <summary>Where a task stands.</summary>
/// <remarks><see cref="TaskTransitions"/> holds every move between states.</remarks>
public enum ScheduledTaskState
{
    /// <summary>
    /// Accepted; waits for its time, which may be changed, or for a free slot. Left by a claim (to <see cref="Running"/>) or a
    /// delete.
    /// </summary>
    Pending,

    /// <summary>
    /// An attempt holds it and is pausing. Left by that attempt's completion, by an error of the task's own work
    /// (to <see cref="Pending"/> with a back-off, or to <see cref="Failed"/> once its tries are used up), by an orderly
    /// shutdown that gives it back (to <see cref="Pending"/>), or by a delete. An attempt whose lease ran out is
    /// replaced by the next one without leaving this state.
    /// </summary>
    Running,

    /// <summary>Its output is committed. Left by a delete only.</summary>
    Completed,

    /// <summary>Its tries are used up and the error is kept. Left by a requeue or a delete.</summary>
    Failed,

    /// <summary>Will never run or print (again); the record stays until retention removes it. Never left.</summary>
    Deleted,
}
