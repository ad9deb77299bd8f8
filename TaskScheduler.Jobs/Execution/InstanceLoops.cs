namespace TaskScheduler.Jobs.Execution;

/// <summary>All that an instance does by itself. Nothing that decides about a task needs Hangfire's storage.</summary>
public sealed partial class InstanceLoops(
    ITaskStore store,
    TaskWorker worker,
    TaskCompleter completer,
    RunningTasks running,
    InstanceHeartbeat heartbeat,
    TableWatch watch,
    JobProjector projector,
    JobAudit audit,
    TaskCleaner cleaner,
    StoreRetry retry,
    TimeProvider clock,
    IOptions<ExecutionOptions> execution,
    IOptions<InstanceOptions> instance,
    ILogger<InstanceLoops> logger)
{
    /// <summary>After the drain: room to record what was stopped. Less than the margin of the host's timeout.</summary>
    private static readonly TimeSpan LastCommits = TimeSpan.FromSeconds(3);

    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _stopped = new();
    private Task _start = Task.CompletedTask;
    private Task _rest = Task.CompletedTask;

    /// <summary>True once a loop ended by a defect; the instance is not ready any more and must be restarted.</summary>
    public bool IsBroken { get; private set; }

    public void Start()
    {
        List<Task> rest =
        [
            Repeat(watch.RunOnceAsync), Repeat(heartbeat.RunOnceAsync), Repeat(audit.RunOnceAsync, isVital: false),
            Run(() => projector.RunAsync(_stopped.Token)),
        ];
        if (instance.Value.Role.Works())
        {
            _start = Run(() => worker.RunAsync(_stopping.Token, _stopped.Token));
            rest.AddRange(Run(() => completer.RunAsync(_stopped.Token)), Repeat(cleaner.RunOnceAsync, isVital: false));
        }

        _rest = Task.WhenAll(rest);
    }

    /// <summary>Starts the orderly stop: no more claims.</summary>
    public void BeginStop() => _stopping.Cancel();

    /// <summary>Lets tasks end for <see cref="ExecutionOptions.DrainTimeout"/>, gives back the others, ends the loops.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        // With the task table away nothing below would end, and with a lost one nothing can be recorded.
        using var limit = new CancellationTokenSource(execution.Value.DrainTimeout + LastCommits, clock);
        await using var timeout = limit.Token.Register(_stopped.Cancel);
        await using var lost = store.Lost.Register(_stopped.Cancel);
        await _start;
        if (running.Count > 0)
            LogDraining(running.Count, execution.Value.DrainTimeout);
        await running.WaitForAllAsync(execution.Value.DrainTimeout, _stopped.Token);
        foreach (var attempt in running.All)
            attempt.Stop(giveBack: true);
        await running.WaitForAllAsync(LastCommits, _stopped.Token);

        completer.AddNoMore();
        await _stopped.CancelAsync();
        await _rest;
        try
        {
            if (!store.Lost.IsCancellationRequested)
                await heartbeat.LeaveAsync();
        }
        // Whatever the store says now: the lease runs out by itself.
        catch (Exception error)
        {
            LogLeaseKept(error);
        }
    }

    private Task Repeat(Func<CancellationToken, Task<TimeSpan>> action, bool isVital = true) =>
        Run(() => retry.RepeatAsync(action, _stopped.Token, isVital));

    private Task Run(Func<Task> loop) => Task.Run(async () =>
    {
        try
        {
            await loop();
        }
        // A defect: what can go wrong in the store is retried inside the loops.
        catch (Exception error)
        {
            IsBroken = true;
            LogLoopEnded(error);
        }
    });

    [LoggerMessage(1, LogLevel.Information, "Stopping: {Count} running tasks may finish within {Timeout}.")]
    private partial void LogDraining(int count, TimeSpan timeout);

    [LoggerMessage(2, LogLevel.Warning, "Stopped, but the lease could not be ended; it runs out by itself.")]
    private partial void LogLeaseKept(Exception error);

    [LoggerMessage(3, LogLevel.Critical, "A loop of this instance ended by a defect. Restart the instance.")]
    private partial void LogLoopEnded(Exception error);
}
