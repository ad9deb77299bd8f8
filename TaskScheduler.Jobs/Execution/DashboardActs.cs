using System.Globalization;
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
        (string Act, DateTime At)? noted = context.NewState switch
        {
            DeletedState deleted and not OwnDeletedState => (DashboardActs.Deleted, deleted.DeletedAt),
            EnqueuedState enqueued and not OwnEnqueuedState when context.OldStateName == FailedState.StateName =>
                (DashboardActs.Requeued, enqueued.EnqueuedAt),
            _ => null,
        };
#pragma warning disable RS0030 // The class is banned for its static members; this is the plain record of a job.
        var job = context.BackgroundJob;
        if (noted is { } wish)
            transaction.AddToSet(wish.Act, DashboardActs.Note(JobOfTask.Of(job.Id, job.Job), wish.At));
#pragma warning restore RS0030
    }

    public void OnStateUnapplied(ApplyStateContext context, IWriteOnlyTransaction transaction)
    {
    }
}

/// <summary>What somebody did to a job on the dashboard, and how it is noted.</summary>
public sealed record DashboardAct(JobOfTask Job, string Note);

/// <summary>What was done to jobs on the dashboard and waits to be carried to their tasks.</summary>
public sealed class DashboardActs(JobStorage storage)
{
    public const string Deleted = "taskscheduler:deleted";
    public const string Requeued = "taskscheduler:requeued";

    /// <param name="act">One of the constants.</param>
    public IReadOnlyCollection<DashboardAct> Find(string act)
    {
        using var connection = storage.GetConnection();
        return [.. connection.GetAllItemsFromSet(act).Select(Read).OfType<DashboardAct>()];
    }

    public void Forget(string act, IEnumerable<DashboardAct> acts)
    {
        using var connection = storage.GetConnection();
        using var transaction = connection.CreateWriteTransaction();
        foreach (var (_, note) in acts)
            transaction.RemoveFromSet(act, note);
        transaction.Commit();
    }

    /// <summary>
    /// With the task: the job store may be lost, and the number given again, before the note is read. With the time: whoever
    /// is frozen before it forgets one must not forget the next.
    /// </summary>
    internal static string Note(JobOfTask job, DateTime at) =>
        string.Create(CultureInfo.InvariantCulture, $"{job.JobId} {job.TaskId} {at:O}");

    /// <summary>Null if it is none of ours, which must not keep the others from being carried.</summary>
    private static DashboardAct? Read(string note) =>
        note.Split(' ') is [var jobId, var taskId, ..] && Guid.TryParse(taskId, out var id) ? new(new(jobId, id), note) : null;
}
