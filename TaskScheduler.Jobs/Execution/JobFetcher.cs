using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Options;

namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// Step 1, fetch: takes the jobs that Hangfire has enqueued, those of this instance as soon as they are, others at the next
/// look. With as much on its hands as it has slots, an instance takes only what is due at once, and the rest at a pace that
/// leaves its peers their share.
/// </summary>
public sealed class JobFetcher(
    IJobQueue queue, TaskJobs jobs, HoldQueue holds, TimeProvider clock, IOptions<WorkerOptions> options)
{
    private const int MostAtOnce = 1_000;

    /// <summary>
    /// Of real time, like the pace. Of no hurry: jobs come seconds ahead, and what is due already is looked for in the
    /// task table.
    /// </summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1.2);

    /// <summary>Where one was enqueued, more are: a busy instance takes them together.</summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(5);

    private bool HandsFull => queue.IsShared && holds.Count >= options.Value.Count;

    /// <summary>Blocks until <paramref name="stopping"/> is cancelled.</summary>
    public void FetchInto(ChannelWriter<string> fetched, CancellationToken stopping)
    {
        var most = Math.Min(options.Value.Count, MostAtOnce);
        var dueBy = DateTimeOffset.MaxValue;
        var pace = Stopwatch.StartNew();
        try
        {
            while (!stopping.IsCancellationRequested)
            {
                var taken = queue.TakeAsync(most, dueBy, stopping).GetAwaiter().GetResult();
                foreach (var jobId in taken)
                    fetched.TryWrite(jobId);
                if (dueBy == DateTimeOffset.MaxValue)
                    pace.Restart();
                if (taken.Count == 0 || HandsFull)
                {
                    if (jobs.Enqueued.WaitAsync(Interval, stopping).GetAwaiter().GetResult())
                        stopping.WaitHandle.WaitOne(Gathering);
                }

                var onlyDue = HandsFull && pace.Elapsed < Interval;
                dueBy = onlyDue ? clock.GetUtcNow() : DateTimeOffset.MaxValue;
            }
        }
        catch (Exception) when (stopping.IsCancellationRequested)
        {
            // SQL Server's driver says that it was cancelled by an error of its own.
        }
    }
}
