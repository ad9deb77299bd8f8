using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Jobs.Maintenance;

/// <summary>
/// A job that someone deletes on the dashboard deletes its task, and one that had failed and is requeued there lets its task
/// run again. Housekeeping notes nothing of what it does, so nothing of ours is mistaken for somebody's wish.
/// </summary>
public sealed class DashboardMirror(DashboardActs acts, TaskClient client, TimeProvider clock) : MaintenanceProcess(clock)
{
    /// <summary>What is done on any instance's dashboard shows on every instance within two seconds.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1.5);

    public override async Task<TimeSpan> RunOnceAsync(CancellationToken stop)
    {
        await CarryAsync(DashboardActs.Deleted, client.DeleteByJobsAsync, stop);
        await CarryAsync(DashboardActs.Requeued, client.RequeueByJobsAsync, stop);
        return Interval;
    }

    private async Task CarryAsync(string act, Func<IReadOnlyCollection<JobOfTask>, CancellationToken, Task> carry, CancellationToken stop)
    {
        var found = acts.Find(act);
        if (found.Count == 0)
            return;
        await carry([.. found.Select(wish => wish.Job)], stop);
        acts.Forget(act, found);
    }
}
