namespace TaskScheduler.Jobs.Execution;

/// <summary>The steps of a task, in the order in which it meets them: alarm → claim → run → complete and print.</summary>
public sealed class TaskWorker(
    ITaskStore store,
    TaskAlarm alarm,
    TableWatch watch,
    StoreRetry retry,
    TaskClaimer claimer,
    RunningTasks running,
    TaskRunner runner,
    TaskCompleter completer,
    TaskMetrics metrics)
{
    /// <summary>Several instances that wake at the same moment share what is due, each a part of it at a time.</summary>
    private const int MinBatch = 25;

    /// <summary>Rows that one claim takes. On a server more would be locked for longer than a few milliseconds.</summary>
    private int MaxBatch => store.IsShared ? 500 : 1_000;

    /// <summary>Starts what is due until <paramref name="stopping"/>. What the table started by then is run.</summary>
    public async Task RunAsync(CancellationToken stopping, CancellationToken stopped)
    {
        var backOff = TimeSpan.Zero;
        while (true)
        {
            await running.WaitForSlotAsync(stopping);
            await alarm.WaitAsync(stopping);
            if (stopping.IsCancellationRequested)
                return;
            var max = Math.Min(running.Free, Math.Max(MinBatch, MaxBatch / Math.Max(1, watch.Last.Workers)));
            var before = alarm.LastChange;
            var started = await StartAsync(max, stopped);
            if (started.Count == max)
                continue;
            // Among several, most of what the alarm is set for the others have started by now.
            if (watch.Last.Workers > 1 || !alarm.Forget(started.Select(task => task.DueAt), before))
                await retry.RetryAsync(watch.LookAsync, stopped);
            backOff = started.Count == 0 && alarm.IsRinging ? Next(backOff) : TimeSpan.Zero;
            await StoreRetry.PauseAsync(backOff + Gap(), stopping);
        }
    }

    private async Task<IReadOnlyList<ScheduledTask>> StartAsync(int max, CancellationToken stopped)
    {
        var tasks = watch.Last.HasAbandoned ? await claimer.TakeOverAsync(max, stopped) : [];
        if (tasks.Count < max)
            tasks = [.. tasks, .. await claimer.ClaimAsync(max - tasks.Count, stopped)];
        foreach (var task in tasks)
        {
            metrics.Started(task);
            _ = RunAsync(running.Add(task));
        }

        return tasks;
    }

    /// <summary>
    /// Of real time: what falls due meanwhile is claimed together. Longer and uneven where several instances would chase each
    /// other: four of them at 600 tasks a second made 1,550 empty claims in 20 s without it, and 500 with it. A claim in a file of
    /// its own is too cheap to wait for company.
    /// </summary>
    private TimeSpan Gap() => !store.IsShared
        ? TimeSpan.Zero
        : TimeSpan.FromMilliseconds(watch.Last.Workers > 1 ? 4 + (4 * Random.Shared.NextDouble()) : 2);

    /// <summary>The claim passes over rows that another instance holds a lock on, and they are still due.</summary>
    private static TimeSpan Next(TimeSpan backOff) => TimeSpan.FromMilliseconds(Math.Clamp(2 * backOff.TotalMilliseconds, 2, 50));

    private async Task RunAsync(RunningTask attempt) => completer.Add(await runner.RunAsync(attempt));
}
