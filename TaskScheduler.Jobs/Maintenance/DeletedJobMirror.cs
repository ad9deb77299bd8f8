using Hangfire;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Jobs.Maintenance;

/// <summary>
/// A job that someone deletes on the dashboard deletes its task. Reads Hangfire's list of deleted jobs, newest first,
/// back to where the last run began; the first run reads all of it, so a deletion survives a crash. Housekeeping deletes
/// only jobs that no row names, so nothing of ours is mistaken for somebody's wish.
/// </summary>
public sealed class DeletedJobMirror(JobStorage storage, TaskClient client, TimeProvider clock) : MaintenanceProcess(clock)
{
    private const int Page = 500;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>For state changes that were on their way, and for clocks that differ, when the last run read the list.</summary>
    private static readonly TimeSpan Overlap = TimeSpan.FromSeconds(5);

    private DateTimeOffset _seenUntil = DateTimeOffset.MinValue.AddDays(1);

    public override async Task<TimeSpan> RunOnceAsync(CancellationToken stop)
    {
        var started = Clock.GetUtcNow();
        var since = (_seenUntil - Overlap).UtcDateTime;
        var monitoring = storage.GetMonitoringApi();
        for (var from = 0; ; from += Page)
        {
            var page = monitoring.DeletedJobs(from, Page);
            var recent = page.Where(job => job.Value?.DeletedAt is not { } deletedAt || deletedAt >= since).ToList();
            if (recent.Count > 0)
                await client.DeleteByJobsAsync([.. recent.Select(job => job.Key)], stop);
            if (page.Count < Page || recent.Count < page.Count)
                break;
        }

        _seenUntil = started;
        return Interval;
    }
}
