namespace TaskScheduler.Jobs.Execution;

/// <summary>Where enqueued jobs wait for an instance.</summary>
public interface IJobQueue
{
    /// <summary>Whether other instances take from it, too.</summary>
    bool IsShared { get; }

    /// <summary>
    /// Removes jobs from the queue and returns them. They need no acknowledgement: from here on the task's row, not the
    /// queue, is what the task survives by. What is due first comes first, where the queue can tell.
    /// </summary>
    /// <param name="most">How many to take at most.</param>
    /// <param name="dueBy">Leaves what is due later, where the queue can tell.</param>
    /// <param name="stop">Ends the wait of a queue that waits.</param>
    /// <returns>The IDs of the jobs; none if there are none, unless the queue waits for the next.</returns>
    Task<IReadOnlyList<string>> TakeAsync(int most, DateTimeOffset dueBy, CancellationToken stop);
}
