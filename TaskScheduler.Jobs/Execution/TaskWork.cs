namespace TaskScheduler.Jobs.Execution;

/// <summary>The task's own work: returns the line to print. An exception other than its cancellation counts as a try.</summary>
public delegate Task<string> TaskWork(TaskKind kind, Guid id, CancellationToken stop);

public static class PausingWork
{
    /// <summary>Pauses as long as the kind asks, on a timer: no thread waits with it.</summary>
    public static TaskWork On(TimeProvider clock) => async (kind, id, stop) =>
    {
        var definition = kind.Definition();
        var end = clock.GetTimestamp() + (long)(definition.Pause.TotalSeconds * clock.TimestampFrequency);
        // A timer may fire up to a millisecond before its time; the pause is never shorter than promised.
        while (clock.GetElapsedTime(clock.GetTimestamp(), end) is { Ticks: > 0 } left)
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)), clock, stop);
        return definition.OutputOf(id);
    };
}
