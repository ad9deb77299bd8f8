namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// Step 4, complete and print: one guarded statement commits the outputs of everything that finished meanwhile. Only what it
/// completed is printed, so a line is printed by one attempt, after its commit, or not at all.
/// </summary>
public sealed partial class TaskCompleter(
    IDbContextFactory<TaskDbContext> contexts,
    StoreSql sql,
    StoreRetry retry,
    RunningTasks running,
    ConsoleOutput console,
    JobProjector projector,
    TaskAlarm alarm,
    TaskMetrics metrics,
    TimeProvider clock,
    IOptions<ExecutionOptions> options,
    ILogger<TaskCompleter> logger)
{
    private const int MaxBatch = 1_000;

    /// <summary>Of real time: what ends within so short a time of each other is committed together.</summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(10);

    private readonly Channel<Outcome> _ended = Channel.CreateUnbounded<Outcome>(new() { SingleReader = true });

    /// <summary>Takes an attempt that ended. Its slot is free once that is recorded.</summary>
    public void Add(Outcome outcome) => _ended.Writer.TryWrite(outcome);

    /// <summary>No more attempts will end: <see cref="RunAsync"/> returns after those that did.</summary>
    public void AddNoMore() => _ended.Writer.TryComplete();

    /// <summary>Records what ends, until <see cref="AddNoMore"/>; tries nothing again after <paramref name="stopped"/>.</summary>
    public async Task RunAsync(CancellationToken stopped)
    {
        while (await _ended.Reader.WaitToReadAsync(CancellationToken.None))
        {
            await Task.Delay(Gathering, CancellationToken.None);
            var group = new List<Outcome>();
            while (group.Count < MaxBatch && _ended.Reader.TryRead(out var outcome))
                group.Add(outcome);
            await RecordAsync(group, stopped);
            group.ForEach(ended => running.Remove(ended.Attempt));
        }
    }

    public async Task RecordAsync(IReadOnlyCollection<Outcome> group, CancellationToken stopped)
    {
        await CompleteAsync(group.Where(ended => ended.Output is not null), stopped);
        foreach (var failed in group.Where(ended => ended.Error is not null))
            await retry.RetryAsync(stop => FailAsync(failed.Task, failed.Error!, stop), stopped);
        await GiveBackAsync([.. group.Where(ended => ended is { Output: null, Error: null, Attempt.ToGiveBack: true })], stopped);
        projector.Wake();
    }

    /// <summary>
    /// Commits and prints; a task that was deleted or taken over meanwhile is passed over in silence. Before it repeats a
    /// completion whose answer was lost, it asks whether that one went through.
    /// </summary>
    private async Task CompleteAsync(IEnumerable<Outcome> finished, CancellationToken stopped)
    {
        // The answer names tasks only: of two attempts of a task that end together, the older one was given back.
        var left = finished.GroupBy(f => f.Task.Id).Select(same => same.MaxBy(f => f.Task.Attempt)!).ToList();
        var tries = 0;
        await retry.RetryAsync(async stop =>
        {
            var repeated = tries++ > 0;
            if (repeated)
                left = await SettleAsync(left, stop);
            if (left.Count > 0)
                left = await CommitAsync(left, stop);
            // The first try may have been committed only while this one waited for its rows.
            if (repeated && left.Count > 0)
                await SettleAsync(left, stop);
        }, stopped);
    }

    /// <returns>Those that the statement passed over.</returns>
    private async Task<List<Outcome>> CommitAsync(IReadOnlyCollection<Outcome> finished, CancellationToken cancel)
    {
        var finishedAt = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var rows = JsonSerializer.Serialize(
            finished.Select(f => new { id = f.Task.Id, attempt = f.Task.Attempt, output = f.Output, finishedAt }));
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var committed = (await db.QueryAsync<Guid>(sql.Complete, rows, cancel)).ToHashSet();
        return Print(finished, f => committed.Contains(f.Task.Id));
    }

    /// <summary>Prints those that were completed by a statement whose answer was lost.</summary>
    /// <returns>The others.</returns>
    private async Task<List<Outcome>> SettleAsync(IReadOnlyCollection<Outcome> unanswered, CancellationToken cancel)
    {
        var ids = unanswered.Select(f => f.Task.Id).ToArray();
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var committed = await db.Tasks.AsNoTracking()
            .Where(t => EF.Parameter(ids).Contains(t.Id) && t.Output != null)
            .Select(t => new { t.Id, t.Attempt, t.ClaimToken })
            .ToHashSetAsync(cancel);
        return Print(unanswered, f => committed.Contains(new { f.Task.Id, f.Task.Attempt, f.Task.ClaimToken }));
    }

    /// <returns>Those that were not committed.</returns>
    private List<Outcome> Print(IEnumerable<Outcome> finished, Func<Outcome, bool> isCommitted)
    {
        var committed = finished.ToLookup(isCommitted);
        foreach (var outcome in committed[true])
        {
            console.Print(outcome.Output!);
            metrics.Finished(outcome.Task.Kind, ScheduledTaskState.Completed);
        }

        return [.. committed[false]];
    }

    /// <summary>Records that the task's own work threw: another try after a back-off, or failure.</summary>
    private async Task FailAsync(ScheduledTask task, Exception error, CancellationToken cancel)
    {
        var now = clock.GetUtcNow().RoundDownToMillisecond();
        var tries = task.Tries + 1;
        // No server store keeps a NUL in a text, nor half a surrogate pair.
        var text = $"{error.GetType().Name}: {error.Message}".Replace('\0', ' ');
        var message = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text[..Math.Min(text.Length, 2_048)]));
        var transition = tries < options.Value.MaxTries ? TaskTransition.Retry : TaskTransition.Fail;
        var dueAt = now + BackOff(tries);
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var moved = await db.Tasks.Where(t => t.Id == task.Id && t.Attempt == task.Attempt).MoveAsync(
            transition,
            set => (transition == TaskTransition.Retry
                    ? set.SetProperty(t => t.DueAt, dueAt).WithoutAttempt()
                    : set.SetProperty(t => t.FinishedAt, now))
                .SetProperty(t => t.Tries, tries).SetProperty(t => t.Error, message),
            cancel);
        if (transition == TaskTransition.Retry)
            alarm.SetFor(dueAt);
        else if (moved == 1)
            metrics.Finished(task.Kind, transition.Target());
    }

    /// <summary>Returns what a shutdown interrupted; it does not count as a try.</summary>
    private async Task GiveBackAsync(IReadOnlyCollection<Outcome> interrupted, CancellationToken stopped)
    {
        if (interrupted.Count == 0)
            return;
        LogGivingBack(interrupted.Count);
        var tokens = interrupted.Select(ended => ended.Task.ClaimToken).Distinct().ToArray();
        var ids = interrupted.Select(ended => ended.Task.Id).ToArray();
        await retry.RetryAsync(async stop =>
        {
            await using var db = await contexts.CreateDbContextAsync(stop);
            await db.Tasks.Where(t => EF.Parameter(ids).Contains(t.Id) && EF.Parameter(tokens).Contains(t.ClaimToken))
                .GiveBackAsync(stop);
        }, stopped);
    }

    /// <summary>2, 4, 8 … seconds, at most a minute.</summary>
    private static TimeSpan BackOff(int tries) => TimeSpan.FromSeconds(Math.Min(Math.Pow(2, tries), 60));

    [LoggerMessage(1, LogLevel.Information, "Giving back {Count} tasks that did not finish in time.")]
    private partial void LogGivingBack(int count);
}
