using System.Threading.Channels;
using Hangfire;
using Hangfire.Storage;

namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// Step 1, fetch: takes the jobs that Hangfire has enqueued, as fast as they come and whatever is held already.
/// </summary>
public sealed class JobFetcher(JobStorage storage)
{
    /// <summary>Blocks until <paramref name="stopping"/> is cancelled.</summary>
    public void FetchInto(ChannelWriter<IFetchedJob> fetched, CancellationToken stopping)
    {
        using var connection = storage.GetConnection();
        try
        {
            while (!stopping.IsCancellationRequested)
                fetched.TryWrite(connection.FetchNextJob([TaskJobs.Queue], stopping));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }
}
