using System.Text;
using System.Threading.Channels;

namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// Step 4, complete and print: one guarded statement commits the outputs of everything that finished meanwhile. Only what
/// that statement completed is printed, so a line is printed by one attempt, after its commit, or not at all.
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
    private static readonly TimeSpan MaxBackOff = TimeSpan.FromMinutes(1);

    /// <summary>Of real time: what ends within so short a time of each other is committed together.</summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(10);

    private readonly Channel<Outcome> _ended = Channel.CreateUnbounded<Outcome>(new() { SingleReader = true });

    /// <summary>Takes an attempt that ended. Its slot is free once that is recorded.</summary>
    public void Add(Outcome outcome) => _ended.Writer.TryWrite(outcome);

    /// <summary>No more attempts will end: <see cref="RunAsync"/> returns after those that did.</summary>
    public void AddNoMore() => _ended.Writer.TryComplete();

    /// <summary>Records what ends, until <see cref="AddNoMore"/>. Nothing is tried again once <paramref name="stopped"/> is cancelled.</summary>
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

    /// <summary>Records attempts that ended together.</summary>
    public async Task RecordAsync(IReadOnlyCollection<Outcome> group, CancellationToken stopped)
    {
        await CompleteAsync([.. group.Where(o => o.Output is not null).Select(o => new Completion(o.Attempt.Task, o.Output!))], stopped);
        foreach (var failed in group.Where(o => o.Error is not null))
            await retry.RetryAsync(stop => FailAsync(failed.Attempt.Task, failed.Error!, stop), stopped);
        await GiveBackAsync(
            [.. group.Where(o => o is { Output: null, Error: null, Attempt.ToGiveBack: true }).Select(o => o.Attempt.Task)], stopped);
        projector.Wake();
    }

    /// <summary>
    /// Commits and prints; a task that was deleted or taken over meanwhile is passed over in silence. Before it repeats a
    /// completion whose answer was lost, it asks whether that one went through.
    /// </summary>
    private async Task CompleteAsync(IReadOnlyCollection<Completion> finished, CancellationToken stopped)
    {
        // One that was given back and the next one of the same task may end together; which of them it was the answer does not say.
        var left = finished.GroupBy(f => f.Task.Id).Select(same => same.MaxBy(f => f.Task.Attempt)!).ToList();
        var unanswered = false;
        await retry.RetryAsync(async stop =>
        {
            if (unanswered)
                left = await SettleAsync(left, stop);
            if (left.Count == 0)
                return;
            var repeated = unanswered;
            unanswered = true;
            left = await CommitAsync(left, stop);
            // The first try may have been committed only while this one waited for its rows.
            if (repeated && left.Count > 0)
                await SettleAsync(left, stop);
        }, stopped);
    }

    /// <returns>Those that the statement passed over.</returns>
    private async Task<List<Completion>> CommitAsync(IReadOnlyCollection<Completion> finished, CancellationToken cancel)
    {
        var finishedAt = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var rows = JsonSerializer.Serialize(
            finished.Select(f => new { id = f.Task.Id, attempt = f.Task.Attempt, output = f.Output, finishedAt }));
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var committed = await db.Database.SqlQueryRaw<Guid>(sql.Complete, rows).ToListAsync(cancel);
        var ours = committed.ToHashSet();
        Print(finished.Where(f => ours.Contains(f.Task.Id)));
        return [.. finished.Where(f => !ours.Contains(f.Task.Id))];
    }

    /// <summary>Prints those that were completed by a statement whose answer was lost, and returns the others.</summary>
    private async Task<List<Completion>> SettleAsync(IReadOnlyCollection<Completion> unanswered, CancellationToken cancel)
    {
        var ids = unanswered.Select(f => f.Task.Id).ToArray();
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var committed = await db.Tasks.AsNoTracking()
            .Where(t => EF.Parameter(ids).Contains(t.Id) && t.Output != null)
            .Select(t => new { t.Id, t.Attempt, t.ClaimToken })
            .ToListAsync(cancel);
        var ours = committed.Select(row => (row.Id, row.Attempt, row.ClaimToken)).ToHashSet();
        var settled = unanswered.ToLookup(f => ours.Contains((f.Task.Id, f.Task.Attempt, f.Task.ClaimToken)));
        Print(settled[true]);
        return [.. settled[false]];
    }

    private void Print(IEnumerable<Completion> completed)
    {
        foreach (var (task, output) in completed)
        {
            console.Print(output);
            metrics.Finished(task, ScheduledTaskState.Completed);
        }
    }

    /// <summary>Records that the task's own work threw: another try after a back-off, or failure.</summary>
    private async Task FailAsync(ScheduledTask task, Exception error, CancellationToken cancel)
    {
        var now = clock.GetUtcNow().RoundDownToMillisecond();
        var tries = task.Tries + 1;
        // No server store keeps a NUL in a text, nor half a surrogate pair.
        var message = $"{error.GetType().Name}: {error.Message}".Replace('\0', ' ');
        if (message.Length > 2_048)
            message = message[..2_048];
        message = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(message));
        var transition = tries < options.Value.MaxTries ? TaskTransition.Retry : TaskTransition.Fail;
        var dueAt = now + BackOff(tries);
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var moved = await db.Tasks.Where(t => t.Id == task.Id && t.Attempt == task.Attempt).MoveAsync(
            transition,
            set =>
            {
                set.SetProperty(t => t.Tries, tries).SetProperty(t => t.Error, message);
                _ = transition == TaskTransition.Retry
                    ? set.SetProperty(t => t.DueAt, dueAt).WithoutAttempt()
                    : set.SetProperty(t => t.FinishedAt, now);
            },
            cancel);
        if (transition == TaskTransition.Retry)
            alarm.SetFor(dueAt);
        else if (moved == 1)
            metrics.Finished(task, transition.Target());
    }

    /// <summary>Returns what a shutdown interrupted to <see cref="ScheduledTaskState.Pending"/>; it does not count as a try.</summary>
    private async Task GiveBackAsync(IReadOnlyCollection<ScheduledTask> interrupted, CancellationToken stopped)
    {
        if (interrupted.Count == 0)
            return;
        LogGivingBack(interrupted.Count);
        var tokens = interrupted.Select(task => task.ClaimToken).Distinct().ToArray();
        var ids = interrupted.Select(task => task.Id).ToArray();
        await retry.RetryAsync(async stop =>
        {
            await using var db = await contexts.CreateDbContextAsync(stop);
            await db.Tasks
                .Where(t => EF.Parameter(ids).Contains(t.Id) && EF.Parameter(tokens).Contains(t.ClaimToken))
                .GiveBackAsync(stop);
        }, stopped);
    }

    /// <summary>2, 4, 8 … seconds, at most a minute.</summary>
    private static TimeSpan BackOff(int tries) => TimeSpan.FromSeconds(Math.Min(Math.Pow(2, tries), MaxBackOff.TotalSeconds));

    private sealed record Completion(ScheduledTask Task, string Output);

    [LoggerMessage(1, LogLevel.Information, "Giving back {Count} tasks that did not finish in time.")]
    private partial void LogGivingBack(int count);
}
