using Hangfire.Server;
using TaskScheduler.Jobs.Storage;

namespace TaskScheduler.Jobs.Maintenance;

/// <summary>
/// A chore that every instance repeats inside its Hangfire server, which logs its errors and starts it again. Every chore
/// is safe to run on all instances at once.
/// </summary>
public abstract class MaintenanceProcess(TimeProvider clock) : IBackgroundProcess
{
    protected TimeProvider Clock { get; } = clock;

    public void Execute(BackgroundProcessContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        try
        {
            var rest = RunOnceAsync(context.StoppingToken).GetAwaiter().GetResult();
            RestAsync(rest, context.StoppingToken).GetAwaiter().GetResult();
        }
        catch (StorageUnavailableException)
        {
            // The task table is gone for good, which has been said: there is nothing left to do before the stop.
            context.StoppingToken.WaitHandle.WaitOne();
        }
    }

    /// <returns>How long to rest before the next run.</returns>
    public abstract Task<TimeSpan> RunOnceAsync(CancellationToken stop);

    /// <summary>Ends early when there is something to do.</summary>
    protected virtual Task RestAsync(TimeSpan rest, CancellationToken stop) => Task.Delay(rest, Clock, stop);
}
