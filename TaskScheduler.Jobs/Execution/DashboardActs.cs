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
            transaction.AddToSet(noted, context.BackgroundJob.Id);
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
    public IReadOnlyCollection<string> JobIds(string act)
    {
        using var connection = storage.GetConnection();
        return connection.GetAllItemsFromSet(act);
    }

    public void Forget(string act, IEnumerable<string> jobIds)
    {
        using var connection = storage.GetConnection();
        using var transaction = connection.CreateWriteTransaction();
        foreach (var jobId in jobIds)
            transaction.RemoveFromSet(act, jobId);
        transaction.Commit();
    }
}
