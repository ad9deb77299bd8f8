namespace TaskScheduler.Jobs.Tasks;

/// <summary>Where a task stands.</summary>
/// <remarks><see cref="TaskTransitions"/> holds every move between states.</remarks>
public enum ScheduledTaskState
{
    /// <summary>Waits for its time, which may be changed, or for a free slot.</summary>
    Pending,

    /// <summary>An attempt holds it and is pausing. One whose lease ran out is replaced by the next, in this state.</summary>
    Running,

    /// <summary>Its output is committed.</summary>
    Completed,

    /// <summary>Its tries are used up and the error is kept.</summary>
    Failed,

    /// <summary>Had not started when its expireAt came, and never will.</summary>
    Expired,

    /// <summary>Will never run or print (again); the record stays until retention removes it.</summary>
    Deleted,
}
