namespace TaskScheduler.Jobs.Execution;

/// <summary>What Hangfire knows of many jobs at once.</summary>
public interface IJobStates
{
    /// <summary>The names of the states, null for a job that was never given one; a job that is gone is left out.</summary>
    Task<IReadOnlyDictionary<string, string?>> FindAsync(IReadOnlyCollection<string> jobIds, CancellationToken cancel);
}
