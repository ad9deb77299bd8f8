using System.Threading.Channels;

namespace TaskScheduler.Jobs.Execution;

/// <summary>Wakes the one loop that waits for it. A signal given while it does not wait is kept for the next wait.</summary>
public sealed class AsyncSignal(TimeProvider clock)
{
    private readonly Channel<bool> _signal =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Set() => _signal.Writer.TryWrite(true);

    /// <summary>
    /// Returns at the signal, after <paramref name="timeout"/> (rounded up to the timer's millisecond), or when
    /// <paramref name="stop"/> is cancelled, whichever is first.
    /// </summary>
    /// <returns>Whether the signal was given.</returns>
    public async Task<bool> WaitAsync(TimeSpan timeout, CancellationToken stop)
    {
        using var timer = timeout == Timeout.InfiniteTimeSpan
            ? new CancellationTokenSource()
            : new CancellationTokenSource(TimeSpan.FromMilliseconds(Math.Ceiling(timeout.TotalMilliseconds)), clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, stop);
        try
        {
            await _signal.Reader.ReadAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
