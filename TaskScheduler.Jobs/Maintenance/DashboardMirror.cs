using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Jobs.Maintenance;

/// <summary>
/// A job that someone deletes on the dashboard deletes its task. Housekeeping deletes only jobs that no row names, and does
/// not note it, so nothing of ours is mistaken for somebody's wish.
/// </summary>
public sealed class DeletedJobMirror(TaskJobDeletions deletions, TaskClient client, TimeProvider clock)
    : MaintenanceProcess(clock)
{
    /// <summary>A deletion on any instance's dashboard shows on every instance within two seconds.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1.5);

    public override async Task<TimeSpan> RunOnceAsync(CancellationToken stop)
    {
        var deleted = deletions.JobIds();
        if (deleted.Count > 0)
        {
            await client.DeleteByJobsAsync(deleted, stop);
            deletions.Forget(deleted);
        }

        return Interval;
    }
}
