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

/// <summary>
/// Notes every other deletion of a task's job, in the transaction that deletes it: so it is known after a crash too, and
/// is found without looking through all the jobs that were ever deleted.
/// </summary>
public sealed class NoteDeletionAttribute : JobFilterAttribute, IApplyStateFilter
{
    public void OnStateApplied(ApplyStateContext context, IWriteOnlyTransaction transaction)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(transaction);
        if (context.NewState is DeletedState and not OwnDeletedState)
        {
#pragma warning disable RS0030 // The class is banned for its static members; this is the plain record of a job.
            transaction.AddToSet(TaskJobDeletions.Noted, context.BackgroundJob.Id);
#pragma warning restore RS0030
        }
    }

    public void OnStateUnapplied(ApplyStateContext context, IWriteOnlyTransaction transaction)
    {
    }
}

/// <summary>The deletions of jobs that wait to be carried to their tasks.</summary>
public sealed class TaskJobDeletions(JobStorage storage)
{
    public const string Noted = "taskscheduler:deleted";

    public IReadOnlyCollection<string> JobIds()
    {
        using var connection = storage.GetConnection();
        return connection.GetAllItemsFromSet(Noted);
    }

    public void Forget(IEnumerable<string> jobIds)
    {
        using var connection = storage.GetConnection();
        using var transaction = connection.CreateWriteTransaction();
        foreach (var jobId in jobIds)
            transaction.RemoveFromSet(Noted, jobId);
        transaction.Commit();
    }
}
