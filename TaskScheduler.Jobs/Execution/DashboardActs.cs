using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Hangfire.Storage;

namespace TaskScheduler.Jobs.Execution;

/// <summary>A deletion of ours: of a spare job, or of a job whose task is deleted already. Nobody's wish, so not noted.</summary>
public sealed class OwnDeletedState : DeletedState
{
    public OwnDeletedState(string reason) => Reason = reason;
}

/// <summary>An enqueueing of ours, because the row says so. Nobody's wish to run a failed task again, so not noted.</summary>
public sealed class OwnEnqueuedState : EnqueuedState
{
    public OwnEnqueuedState(string queue, string? reason)
        : base(queue) => Reason = reason;
}

/// <summary>
/// Notes every other deletion of a task's job, and every other requeue of one that had failed, in the transaction that does
/// it: so it is known after a crash too, and is found without looking through all jobs. That the job is enqueued would not
/// say it: the last try of a failed task may have enqueued it and have run elsewhere meanwhile.
/// </summary>
public sealed class NoteDashboardActsAttribute : JobFilterAttribute, IApplyStateFilter
{
    public void OnStateApplied(ApplyStateContext context, IWriteOnlyTransaction transaction)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(transaction);
        var noted = context.NewState switch
        {
            DeletedState and not OwnDeletedState => DashboardActs.Deleted,
            EnqueuedState and not OwnEnqueuedState when context.OldStateName == FailedState.StateName => DashboardActs.Requeued,
            _ => null,
        };
#pragma warning disable RS0030 // The class is banned for its static members; this is the plain record of a job.
        if (noted is not null)
            transaction.AddToSet(noted, DashboardActs.Note(new(context.BackgroundJob.Id, (Guid)context.BackgroundJob.Job.Args[0])));
#pragma warning restore RS0030
    }

    public void OnStateUnapplied(ApplyStateContext context, IWriteOnlyTransaction transaction)
    {
    }
}

/// <summary>What was done to jobs on the dashboard and waits to be carried to their tasks.</summary>
public sealed class DashboardActs(JobStorage storage)
{
    public const string Deleted = "taskscheduler:deleted";
    public const string Requeued = "taskscheduler:requeued";

    /// <param name="act">One of the constants.</param>
    public IReadOnlyCollection<JobOfTask> Find(string act)
    {
        using var connection = storage.GetConnection();
        return [.. connection.GetAllItemsFromSet(act).Select(Read)];
    }

    public void Forget(string act, IEnumerable<JobOfTask> jobs)
    {
        using var connection = storage.GetConnection();
        using var transaction = connection.CreateWriteTransaction();
        foreach (var job in jobs)
            transaction.RemoveFromSet(act, Note(job));
        transaction.Commit();
    }

    /// <summary>With the task: the job store may be lost, and the number given again, before the note is read.</summary>
    internal static string Note(JobOfTask job) => $"{job.JobId} {job.TaskId}";

    private static JobOfTask Read(string note)
    {
        var space = note.IndexOf(' ', StringComparison.Ordinal);
        return new(note[..space], Guid.Parse(note.AsSpan(space + 1)));
    }
}
