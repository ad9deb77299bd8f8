using System.Threading.Channels;
using Hangfire.Server;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskScheduler.Jobs.Storage;

namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// The pump: one background process of the Hangfire server instead of a thread per task. It strings the steps together,
/// fetch → hold until due → claim → run → complete and print → tell Hangfire, and groups each of them.
/// </summary>
/// <remarks>
/// Hangfire may restart its server while the application runs (a lost server record): fetching then stops and starts
/// again under a new server ID, and the tasks here go on. Only <see cref="BeginStop"/> ends them.
/// </remarks>
public sealed partial class TaskWorker(
    JobFetcher fetcher,
    JobIntake intake,
    HoldQueue holds,
    InstanceHeartbeat heartbeat,
    TaskClaimer claimer,
    RunningTasks running,
    TaskWork work,
    TaskCompleter completer,
    LostAttempts lostAttempts,
    JobReporter reporter,
    TaskMetrics metrics,
    TaskJobs jobs,
    TimeProvider clock,
    IOptions<ExecutionOptions> options,
    ILogger<TaskWorker> logger) : IBackgroundProcess, IDisposable
{
    private const int MostAtOnce = 1_000;
    private static readonly TimeSpan LostAttemptsInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>Of real time: what ends within so short a time of each other is committed together.</summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(10);

    /// <summary>After the drain: room to record what was stopped. Less than the margin between the stop timeouts.</summary>
    private static readonly TimeSpan LastCommits = TimeSpan.FromSeconds(3);

    private readonly Channel<string> _delivered = Channel.CreateUnbounded<string>(new() { SingleReader = true });

    private readonly Channel<Outcome> _outcomes = Channel.CreateUnbounded<Outcome>(new() { SingleReader = true });
    private readonly AsyncSignal _wake = new(clock);
    private readonly AsyncSignal _attemptEnded = new(clock);
    private readonly TaskCompletionSource _granting = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _stopped = new();
    private readonly StoreRetry _store = new(clock, logger);
    private readonly Lock _gate = new();
    private Task? _intake;
    private Task? _grant;
    private Task? _rest;
    private Task? _drain;

    /// <summary>What an attempt came to: an output, an error, or neither if it was stopped.</summary>
    private sealed record Outcome(RunningTask Attempt, string? Output, Exception? Error);

    /// <summary>Slots that no task held here is about to take.</summary>
    public int SpareSlots => running.Free - holds.CountReady(clock.GetUtcNow());

    /// <summary>Tasks held here that are due and wait for a slot or for their claim.</summary>
    public int HeldDue => holds.CountDue(clock.GetUtcNow());

    /// <summary>Given whenever a slot becomes free: overdue rows may be waiting for one.</summary>
    public AsyncSignal SlotFreed { get; } = new(clock);

    /// <summary>True once a step ended by a defect; the instance is not ready any more and must be restarted.</summary>
    public bool IsBroken { get; private set; }

    private bool IsBusy => holds.Count > 0 || running.Count > 0;

    /// <summary>True while this instance runs the task, or holds it for that very time.</summary>
    public bool Knows(Guid taskId, DateTimeOffset dueAt) => holds.Contains(taskId, dueAt) || running.Contains(taskId);

    /// <summary>Fetches until Hangfire's server stops; on an orderly stop of the application it drains first.</summary>
    public void Execute(BackgroundProcessContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        reporter.ServerId = context.ServerId;
        EnsureStarted();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.StoppingToken, _stopping.Token);
        fetcher.FetchInto(_delivered.Writer, stop.Token);
        if (_stopping.IsCancellationRequested)
            DrainAsync().GetAwaiter().GetResult();
    }

    /// <summary>Holds the tasks that these jobs name, as if the queue had delivered them here.</summary>
    public Task AdoptAsync(IReadOnlyCollection<string> jobIds) => jobIds.Count == 0
        ? Task.CompletedTask
        : TakeInAsync(stopped => intake.TakeAsync(jobIds, IntakeReason.LeftBehind, stopped));

    /// <summary>
    /// To be called once what was abandoned is held here: it goes before what the queue had for this instance.
    /// </summary>
    public void StartGranting() => _granting.TrySetResult();

    /// <summary>Starts the orderly stop: no more fetching, no more claims.</summary>
    public void BeginStop() => _stopping.Cancel();

    /// <summary>
    /// Gives back at once what is only held, lets running tasks finish up to <see cref="ExecutionOptions.DrainTimeout"/>,
    /// gives back what did not, and tells Hangfire.
    /// </summary>
    public Task DrainAsync()
    {
        EnsureStarted();
        lock (_gate)
            return _drain ??= Task.Run(DrainOnceAsync);
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _stopped.Dispose();
    }

    private void EnsureStarted()
    {
        lock (_gate)
        {
            _intake ??= StartLoop(IntakeAsync);
            _grant ??= StartLoop(GrantAsync);
            _rest ??= Task.WhenAll(
                StartLoop(CompleteAsync),
                StartLoop(() => reporter.RunAsync(_stopped.Token)),
                StartLoop(() => _store.RepeatAsync(heartbeat.Interval, BeatAsync, _stopped.Token)),
                StartLoop(() => _store.RepeatAsync(LostAttemptsInterval, ReconcileAsync, _stopped.Token)));
        }
    }

    private Task StartLoop(Func<Task> loop) => Task.Run(async () =>
    {
        try
        {
            await loop();
        }
#pragma warning disable CA1031 // A defect: what can go wrong in the store is retried inside the loops.
        catch (Exception error)
#pragma warning restore CA1031
        {
            IsBroken = true;
            Log.LoopEnded(logger, error);
        }
    });

    private async Task IntakeAsync()
    {
        while (await _delivered.Reader.WaitToReadAsync())
        {
            var group = new List<string>();
            while (group.Count < MostAtOnce && _delivered.Reader.TryRead(out var jobId))
                group.Add(jobId);
            await TakeInAsync(stopped => intake.TakeAsync(group, IntakeReason.Enqueued, stopped));
        }
    }

    private async Task TakeInAsync(Func<CancellationToken, Task> take)
    {
        await _store.RetryAsync(take, _stopped.Token);
        _wake.Set();
    }

    private async Task GrantAsync()
    {
        await _granting.Task.WaitAsync(_stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (!_stopping.IsCancellationRequested)
        {
            var due = holds.TakeReady(clock.GetUtcNow(), Math.Min(running.Free, MostAtOnce));
            if (due.Count == 0)
            {
                await _wake.WaitAsync(UntilNextGrant(), _stopping.Token);
                continue;
            }

            running.TakeSlots(due.Count);
            var claimed = await ClaimAsync(due);
            foreach (var task in claimed)
            {
                metrics.Started(task);
                if (!task.Delivery.IsShown)
                    reporter.Held(task.Delivery.JobId, task.Id, task.Delivery.CreatedAt, task.Delivery.DueAt);
                _ = RunAsync(running.Add(task));
            }

            if (claimed.Count == due.Count)
                continue;
            running.FreeSlots(due.Count - claimed.Count);
            var refused = due.Except(claimed.Select(task => task.Delivery)).ToList();
            await TakeInAsync(stopped => intake.TakeRefusedAsync(refused, stopped));
            SlotFreed.Set();
        }
    }

    private TimeSpan UntilNextGrant()
    {
        if (running.Free <= 0 || holds.NextReady is not { } next)
            return Timeout.InfiniteTimeSpan;
        var left = next - clock.GetUtcNow();
        if (left < TimeSpan.Zero)
            return TimeSpan.Zero;
        // The wall clock may be set while we wait, so look again now and then.
        return left < TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1);
    }

    private async Task<IReadOnlyList<ClaimedTask>> ClaimAsync(IReadOnlyList<Delivery> due)
    {
        var token = Guid.NewGuid();
        IReadOnlyList<ClaimedTask> claimed = [];
        await _store.RetryAsync(async stopped =>
        {
            await heartbeat.BeatAsync(heartbeat.Interval, stopped);
            claimed = await claimer.ClaimAsync(due, token, stopped);
        }, _stopped.Token);
        return claimed;
    }

    private async Task RunAsync(RunningTask attempt)
    {
        Outcome outcome;
        try
        {
            outcome = new(attempt, await work(attempt.Task.Kind, attempt.Task.Id, attempt.Stopped), null);
        }
        catch (OperationCanceledException) when (attempt.Stopped.IsCancellationRequested)
        {
            outcome = new(attempt, null, null);
        }
#pragma warning disable CA1031 // Whatever the work throws is the task's own failure.
        catch (Exception error)
#pragma warning restore CA1031
        {
            Log.TryFailed(logger, attempt.Task.Id, attempt.Task.Attempt, error);
            outcome = new(attempt, null, error);
        }

        _outcomes.Writer.TryWrite(outcome);
    }

    private async Task CompleteAsync()
    {
        while (await _outcomes.Reader.WaitToReadAsync())
        {
            await Task.Delay(Gathering);
            var group = new List<Outcome>();
            while (group.Count < MostAtOnce && _outcomes.Reader.TryRead(out var outcome))
                group.Add(outcome);
            await CommitAsync([.. group.Where(o => o.Output is not null).Select(o => (o.Attempt.Task, o.Output!))]);
            foreach (var failed in group.Where(o => o.Error is not null))
                await _store.RetryAsync(
                    stopped => completer.FailAsync(failed.Attempt.Task, failed.Error!, stopped), _stopped.Token);
            await GiveBackAsync(
                [.. group.Where(o => o is { Output: null, Error: null, Attempt.ToGiveBack: true }).Select(o => o.Attempt.Task)]);

            foreach (var ended in group)
                running.Remove(ended.Attempt);
            _wake.Set();
            _attemptEnded.Set();
            SlotFreed.Set();
        }
    }

    private async Task CommitAsync(IReadOnlyCollection<(ClaimedTask Task, string Output)> finished)
    {
        var unanswered = false;
        await _store.RetryAsync(async stopped =>
        {
            if (unanswered)
                finished = await completer.SettleAsync(finished, stopped);
            if (finished.Count == 0)
                return;
            var repeated = unanswered;
            unanswered = true;
            finished = await completer.CompleteAsync(finished, stopped);
            // The first try may have been committed only while this one waited for its rows.
            if (repeated && finished.Count > 0)
                await completer.SettleAsync(finished, stopped);
        }, _stopped.Token);
    }

    private async Task GiveBackAsync(IReadOnlyCollection<ClaimedTask> interrupted)
    {
        if (interrupted.Count == 0)
            return;
        Log.GivingBack(logger, interrupted.Count);
        await _store.RetryAsync(stopped => completer.GiveBackAsync(interrupted, stopped), _stopped.Token);
    }

    private async Task BeatAsync(CancellationToken stopped)
    {
        if (IsBusy)
            await heartbeat.BeatAsync(TimeSpan.Zero, stopped);
    }

    /// <summary>Once an instance does not say any more that it lives, the rescuers find what it does not know of.</summary>
    private async Task ReconcileAsync(CancellationToken stopped)
    {
        if (IsBusy)
            await lostAttempts.ReconcileAsync(stopped);
    }

    private async Task DrainOnceAsync()
    {
        await _stopping.CancelAsync();
        // With the task table away nothing below would end.
        using var limit = new CancellationTokenSource(options.Value.DrainTimeout + LastCommits, clock);
        await using var stop = limit.Token.Register(_stopped.Cancel);
        await _grant!;
        _delivered.Writer.TryComplete();
        await _intake!;
        foreach (var held in holds.TakeAll().Where(delivery => delivery.IsShown))
        {
            reporter.Report(
                held.JobId, held.TaskId, held.CreatedAt, jobs.Awaiting(held.DueAt, "Given back by an instance that stopped"));
        }

        if (running.Count > 0)
            Log.Draining(logger, running.Count, options.Value.DrainTimeout);
        await WaitForAttemptsAsync(options.Value.DrainTimeout);
        foreach (var attempt in running.All)
            attempt.Stop(giveBack: true);
        await WaitForAttemptsAsync(LastCommits);

        _outcomes.Writer.TryComplete();
        await _stopped.CancelAsync();
        await _rest!;
        try
        {
            await heartbeat.LeaveAsync();
        }
        catch (StorageUnavailableException)
        {
            // Gone for good, and the lease with it.
        }
#pragma warning disable CA1031 // Whatever the store says now: the lease runs out by itself.
        catch (Exception error)
#pragma warning restore CA1031
        {
            Log.LeaseKept(logger, error);
        }
    }

    private async Task WaitForAttemptsAsync(TimeSpan atMost)
    {
        var started = clock.GetTimestamp();
        while (running.Count > 0 && atMost - clock.GetElapsedTime(started) is { Ticks: > 0 } left)
            await _attemptEnded.WaitAsync(left, CancellationToken.None);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Task {TaskId}, attempt {Attempt}: its own work failed.")]
        public static partial void TryFailed(ILogger logger, Guid taskId, int attempt, Exception error);

        [LoggerMessage(2, LogLevel.Information, "Stopping: {Count} running tasks may finish within {Timeout}.")]
        public static partial void Draining(ILogger logger, int count, TimeSpan timeout);

        [LoggerMessage(3, LogLevel.Information, "Giving back {Count} tasks that did not finish in time.")]
        public static partial void GivingBack(ILogger logger, int count);

        [LoggerMessage(4, LogLevel.Warning, "Stopped, but the lease could not be ended; it runs out by itself.")]
        public static partial void LeaseKept(ILogger logger, Exception error);

        [LoggerMessage(5, LogLevel.Critical, "A step of the worker ended by a defect: this instance runs no more tasks. Restart it.")]
        public static partial void LoopEnded(ILogger logger, Exception error);
    }
}
