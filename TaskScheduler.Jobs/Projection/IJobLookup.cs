namespace TaskScheduler.Jobs.Projection;

/// <summary>A job, and the task that it should be the job of.</summary>
public sealed record JobOfTask(string JobId, Guid TaskId)
{
    /// <summary>The job that the row names.</summary>
    public static JobOfTask Of(ScheduledTask row) => new(row.JobId!, row.Id);
}

/// <summary>What Hangfire shows of many jobs at once.</summary>
public interface IJobLookup
{
    /// <summary>
    /// The names of the states. A job that is gone, has no state or stands for another task is left out.
    /// </summary>
    Task<IReadOnlyDictionary<JobOfTask, string>> FindStatesAsync(IReadOnlyCollection<JobOfTask> jobs, CancellationToken cancel);
}
