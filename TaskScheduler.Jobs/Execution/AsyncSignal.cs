namespace TaskScheduler.Jobs.Execution;

/// <summary>Wakes the one loop that waits for it. A signal given while it does not wait is kept for the next wait.</summary>
public sealed class AsyncSignal(TimeProvider clock)
{
    private TaskCompletionSource _signal = NotGiven();

    public void Set()
    {
        // The loop that takes an earlier signal at this moment must see what the caller has written.
        Interlocked.MemoryBarrier();
        _signal.TrySetResult();
    }

    /// <summary>
    /// Returns at the signal, after <paramref name="timeout"/> (rounded up to the timer's millisecond), or when
    /// <paramref name="stop"/> is cancelled, whichever is first.
    /// </summary>
    /// <returns>Whether the signal was given.</returns>
    public async Task<bool> WaitAsync(TimeSpan timeout, CancellationToken stop)
    {
        var wait = TimeSpan.FromMilliseconds(Math.Ceiling(timeout.TotalMilliseconds));
        await _signal.Task.WaitAsync(wait, clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_signal.Task.IsCompleted)
            return false;
        Interlocked.Exchange(ref _signal, NotGiven());
        return true;
    }

    private static TaskCompletionSource NotGiven() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
