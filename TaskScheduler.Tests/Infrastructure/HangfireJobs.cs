using Hangfire;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>What Hangfire itself says of a job.</summary>
public static class HangfireJobs
{
    /// <summary>The name of the job's state; null if there is no such job or it was never given a state.</summary>
    public static string? StateOf(this JobStorage storage, string jobId)
    {
        using var connection = storage.GetConnection();
        return connection.GetStateData(jobId)?.Name;
    }
}
