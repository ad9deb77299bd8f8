using Hangfire.Common;

namespace TaskScheduler.Jobs.Execution;

/// <summary>A job, and the task that it should be the job of.</summary>
public sealed record JobOfTask(string JobId, Guid TaskId)
{
    /// <summary>The task's ID is the only argument of its job.</summary>
    public static JobOfTask Of(string jobId, Job job) => new(jobId, (Guid)job.Args[0]);
}

/// <summary>What Hangfire knows of many jobs at once.</summary>
public interface IJobStates
{
    /// <summary>
    /// The names of the states, null for a job that was never given one. A job that is gone is left out, and so is one that
    /// carries another task: a job store that was lost gives its numbers again.
    /// </summary>
    Task<IReadOnlyDictionary<JobOfTask, string?>> FindAsync(IReadOnlyCollection<JobOfTask> jobs, CancellationToken cancel);

    /// <summary>
    /// The IDs of all jobs of tasks that are enqueued, in the queue or not: whoever took one from it may have died before it
    /// gave the job another state.
    /// </summary>
    Task<IReadOnlyCollection<string>> FindEnqueuedAsync(CancellationToken cancel);
}
