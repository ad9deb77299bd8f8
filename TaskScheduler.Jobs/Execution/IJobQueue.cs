namespace TaskScheduler.Jobs.Execution;

/// <summary>Where enqueued jobs wait for an instance.</summary>
public interface IJobQueue
{
    /// <summary>
    /// Removes jobs from the queue and returns them. They need no acknowledgement: from here on the task's row, not the
    /// queue, is what the task survives by.
    /// </summary>
    /// <returns>At most <paramref name="most"/> job IDs; none if there are none, unless the queue waits for the next.</returns>
    Task<IReadOnlyList<string>> TakeAsync(int most, CancellationToken stop);
}
