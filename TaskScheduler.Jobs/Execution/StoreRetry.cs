namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// The task table may be away for a while: what talks to it is tried until it answers or the worker has stopped. Every
/// statement is guarded, so a repetition does no harm. With a task table that is gone for good nothing is tried again.
/// </summary>
public sealed partial class StoreRetry(ITaskStore store, ILogger<StoreRetry> logger)
{
    private const int FailuresPerReminder = 10;

    /// <summary>Of real time, and longer with each failure: many instances would overload a server that is busy.</summary>
    private static readonly TimeSpan MinDelay = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(1);

    /// <summary>What fails at the moment, since when.</summary>
    private readonly ConcurrentDictionary<object, long> _failing = [];

    /// <summary>Whether something that tasks need has failed for so long: the store is there, and refuses it.</summary>
    public bool HasFailedFor(TimeSpan time) => _failing.Values.Any(since => TimeProvider.System.GetElapsedTime(since) >= time);

    /// <param name="action">What is tried.</param>
    /// <param name="stopped">Ends it.</param>
    /// <param name="isVital">Whether tasks do not run while it fails.</param>
    public async Task RetryAsync(Func<CancellationToken, Task> action, CancellationToken stopped, bool isVital = true)
    {
        var delay = MinDelay;
        var failure = new object();
        try
        {
            for (var failures = 0; !stopped.IsCancellationRequested; failures++)
            {
                try
                {
                    await action(stopped);
                    return;
                }
                // SQL Server's driver reports a cancellation by an error of its own; the loss of a store for good was logged.
                catch (Exception error) when (stopped.IsCancellationRequested || error is StorageUnavailableException)
                {
                    return;
                }
                // Any store may fail in any way; none of them may end the loop.
                catch (Exception error)
                {
                    if (isVital)
                        _failing.TryAdd(failure, TimeProvider.System.GetTimestamp());
                    if (failures == 0)
                        LogStoreFailed(error);
                    else if (failures % FailuresPerReminder == 0)
                        LogStillFails(failures, store.Explain(error));
                    await PauseAsync(delay, stopped);
                    delay = delay * 2 < MaxDelay ? delay * 2 : MaxDelay;
                }
            }
        }
        finally
        {
            _failing.TryRemove(failure, out _);
        }
    }

    /// <summary>Does something again and again, with the pauses that it asks for.</summary>
    /// <inheritdoc cref="RetryAsync"/>
    public async Task RepeatAsync(Func<CancellationToken, Task<TimeSpan>> action, CancellationToken stopped, bool isVital = true)
    {
        while (!stopped.IsCancellationRequested)
        {
            var pause = MaxDelay;
            await RetryAsync(async stop => pause = await action(stop), stopped, isVital);
            await PauseAsync(pause, stopped);
        }
    }

    /// <summary>Waits in real time, or until <paramref name="stopped"/> is cancelled.</summary>
    public static async Task PauseAsync(TimeSpan pause, CancellationToken stopped) =>
        await Task.Delay(pause, stopped).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    [LoggerMessage(1, LogLevel.Error, "The database did not do what was asked of it; trying again until it does.")]
    private partial void LogStoreFailed(Exception error);

    [LoggerMessage(2, LogLevel.Error, "The database still does not do it after {Failures} tries ({Reason}).")]
    private partial void LogStillFails(int failures, string reason);
}
