namespace TaskScheduler.Jobs.Tasks;

/// <summary>
/// One unit of work that a client asked for: a row of the task table, the source of truth. Rows change by guarded statements
/// only, so an instance of this class shows the past. All times are UTC in whole milliseconds.
/// </summary>
public sealed class ScheduledTask
{
    /// <summary>Of a label, in Unicode characters.</summary>
    public const int MaxLabel = 100;

    /// <summary>The table's own order of creation; breaks ties between equal times.</summary>
    public long Sequence { get; private set; }

    public Guid Id { get; private set; }

    public TaskKind Kind { get; private set; }

    public ScheduledTaskState State { get; private set; }

    /// <summary>The time that the client asked for, rounded up. No attempt ever starts before it.</summary>
    public DateTimeOffset ExecuteAt { get; private set; }

    /// <summary>When the next attempt is due: <see cref="ExecuteAt"/>, or later while a retry backs off.</summary>
    public DateTimeOffset DueAt { get; private set; }

    /// <summary>A text of the client's own, to find the task by; null without one.</summary>
    public string? Label { get; private set; }

    /// <summary>By when the task must have started, as the client asked, rounded up; null if it may start at any time.</summary>
    public DateTimeOffset? ExpireAt { get; private set; }

    /// <summary><see cref="ExpireAt"/> until the task has started: what started in time is retried and taken over after it.</summary>
    public DateTimeOffset? StartBy { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>Start of the latest attempt; null while <see cref="ScheduledTaskState.Pending"/>.</summary>
    public DateTimeOffset? StartedAt { get; private set; }

    /// <summary>When it was completed, failed or expired.</summary>
    public DateTimeOffset? FinishedAt { get; private set; }

    public DateTimeOffset? DeletedAt { get; private set; }

    /// <summary>Claims so far; the fencing token: only the latest attempt may complete, retry or give back.</summary>
    public int Attempt { get; private set; }

    /// <summary>Attempts that ended in an exception of the task's own work.</summary>
    public int Tries { get; private set; }

    /// <summary>The name of the instance of the latest attempt; null while pending.</summary>
    public string? Instance { get; private set; }

    /// <summary>The process life behind <see cref="Instance"/>; its row in the instance table keeps the lease.</summary>
    public Guid? InstanceId { get; private set; }

    /// <summary>Random, written by each claim: tells whether a claim or completion whose answer was lost went through.</summary>
    public Guid? ClaimToken { get; private set; }

    /// <summary>The committed output; null until <see cref="ScheduledTaskState.Completed"/>.</summary>
    public string? Output { get; private set; }

    /// <summary>Why the latest try failed; null unless one did.</summary>
    public string? Error { get; private set; }

    /// <summary>Raised by every change of what the task is or does; guards changes of a row that was read before.</summary>
    public int Version { get; private set; } = 1;

    /// <summary>Whether Hangfire's job shows this version.</summary>
    public bool IsShown { get; private set; }

    /// <summary>The Hangfire job of this task in the storage <see cref="JobStorageId"/>; null before the first.</summary>
    public string? JobId { get; private set; }

    /// <summary>The state that the job was given last.</summary>
    public string? JobState { get; private set; }

    /// <summary>The <see cref="Projection.JobStorageLife"/> that <see cref="JobId"/> belongs to.</summary>
    public Guid? JobStorageId { get; private set; }

    public static ScheduledTask Create(TaskKind kind, DateTimeOffset executeAt, DateTimeOffset now, Guid id) =>
        Create(new NewTask(kind, executeAt), now, id);

    public static ScheduledTask Create(NewTask task, DateTimeOffset now, Guid id)
    {
        var due = task.ExecuteAt.RoundUpToMillisecond();
        var expireAt = task.ExpireAt?.RoundUpToMillisecond();
        return new ScheduledTask
        {
            Id = id,
            Kind = task.Kind,
            State = ScheduledTaskState.Pending,
            ExecuteAt = due,
            DueAt = due,
            Label = task.Label,
            ExpireAt = expireAt,
            StartBy = expireAt,
            CreatedAt = now.RoundDownToMillisecond(),
        };
    }

    /// <summary>Gives the task another time. The caller has checked that its state allows it.</summary>
    public void Reschedule(DateTimeOffset executeAt, DateTimeOffset? expireAt)
    {
        ExecuteAt = DueAt = executeAt.RoundUpToMillisecond();
        ExpireAt = StartBy = expireAt?.RoundUpToMillisecond();
        Move(TaskTransition.Reschedule);
    }

    /// <summary>Lets the task run again, with all its tries. The caller has checked that its state allows it.</summary>
    public void Requeue()
    {
        DueAt = ExecuteAt;
        StartBy = ExpireAt;
        Tries = 0;
        (Error, FinishedAt, StartedAt, Instance, InstanceId) = (null, null, null, null, null);
        Move(TaskTransition.Requeue);
    }

    private void Move(TaskTransition transition)
    {
        State = transition.Target();
        Version++;
        IsShown = false;
    }
}
