using System.Text.Json;
using Hangfire.States;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// Step 5, complete and print: one guarded statement commits the outputs of everything that finished meanwhile. Only what
/// that statement completed is printed, so a line is printed by one attempt, after its commit, or not at all.
/// </summary>
public sealed class TaskCompleter(
    IDbContextFactory<TaskDbContext> contexts,
    StoreSql sql,
    ConsoleOutput console,
    JobReporter reporter,
    TaskJobs jobs,
    TaskMetrics metrics,
    TimeProvider clock,
    IOptions<ExecutionOptions> options)
{
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromMinutes(1);

    /// <summary>Commits and prints; a task that was deleted or taken over meanwhile is passed over in silence.</summary>
    /// <returns>Those that it passed over.</returns>
    public async Task<IReadOnlyCollection<(ClaimedTask Task, string Output)>> CompleteAsync(
        IReadOnlyCollection<(ClaimedTask Task, string Output)> finished, CancellationToken cancel)
    {
        var now = clock.GetUtcNow().RoundDownToMillisecond();
        var finishedAt = now.ToUnixTimeMilliseconds();
        // One that was given back and the next one of the same task may end together; which of them it was the answer does not say.
        var latest = finished.GroupBy(f => f.Task.Id).Select(same => same.MaxBy(f => f.Task.Attempt)).ToList();
        var rows = JsonSerializer.Serialize(
            latest.Select(f => new { id = f.Task.Id, attempt = f.Task.Attempt, output = f.Output, finishedAt }));
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var committed = await db.Database.SqlQueryRaw<Guid>(sql.Complete, rows).ToListAsync(cancel);
        var ours = committed.ToHashSet();
        Announce([.. latest.Where(f => ours.Contains(f.Task.Id))], now);
        return [.. latest.Where(f => !ours.Contains(f.Task.Id))];
    }

    /// <summary>
    /// For completions whose answer was lost: prints those that went through after all and returns the others.
    /// </summary>
    public async Task<IReadOnlyCollection<(ClaimedTask Task, string Output)>> SettleAsync(
        IReadOnlyCollection<(ClaimedTask Task, string Output)> unanswered, CancellationToken cancel)
    {
        var ids = unanswered.Select(f => f.Task.Id).ToArray();
        var tokens = unanswered.Select(f => f.Task.Token).Distinct().ToArray();
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var committed = await db.Tasks.AsNoTracking()
            .Where(t => EF.Parameter(ids).Contains(t.Id)
                && t.Output != null && EF.Parameter(tokens).Contains(t.ClaimToken!.Value))
            .Select(t => new { t.Id, t.Attempt })
            .ToListAsync(cancel);
        var settled = unanswered
            .Where(f => committed.Any(row => row.Id == f.Task.Id && row.Attempt == f.Task.Attempt))
            .ToList();
        Announce(settled, clock.GetUtcNow().RoundDownToMillisecond());
        return [.. unanswered.Except(settled)];
    }

    /// <summary>Records that the task's own work threw: another try after a back-off, or failure.</summary>
    public async Task FailAsync(ClaimedTask task, Exception error, CancellationToken cancel)
    {
        var now = clock.GetUtcNow().RoundDownToMillisecond();
        var tries = task.Tries + 1;
        // No server store keeps a NUL in a text.
        var message = $"{error.GetType().Name}: {error.Message}".Replace('\0', ' ');
        if (message.Length > 2_048)
            message = message[..2_048];
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var own = db.Tasks.Where(t => t.Id == task.Id && t.Attempt == task.Attempt);
        if (tries >= options.Value.MaxTries)
        {
            var failed = await own.ThatCan(TaskTransition.Fail).ExecuteUpdateAsync(
                set => set
                    .SetProperty(t => t.State, TaskTransition.Fail.Target())
                    .SetProperty(t => t.Tries, tries)
                    .SetProperty(t => t.FinishedAt, now)
                    .SetProperty(t => t.Error, message),
                cancel);
            if (failed == 1)
            {
                metrics.Finished(task, TaskTransition.Fail.Target());
                var reason = $"Try {tries} of {options.Value.MaxTries} failed";
                reporter.Report(task, new FailedState(error) { Reason = reason });
            }
        }
        else
        {
            var dueAt = now + BackOff(tries);
            var retried = await own.ThatCan(TaskTransition.Retry).ExecuteUpdateAsync(
                set => set
                    .SetProperty(t => t.State, TaskTransition.Retry.Target())
                    .SetProperty(t => t.Tries, tries)
                    .SetProperty(t => t.DueAt, dueAt)
                    .SetProperty(t => t.Error, message)
                    .WithoutAttempt(),
                cancel);
            if (retried == 1)
                reporter.Report(task, jobs.Awaiting(dueAt, $"Try {tries} of {options.Value.MaxTries} failed: {message}"));
        }
    }

    /// <summary>Returns what a shutdown interrupted to <see cref="ScheduledTaskState.Pending"/>; it does not count as a try.</summary>
    public async Task GiveBackAsync(IReadOnlyCollection<ClaimedTask> interrupted, CancellationToken cancel)
    {
        var tokens = interrupted.Select(task => task.Token).Distinct().ToArray();
        var ids = interrupted.Select(task => task.Id).ToArray();
        await using var db = await contexts.CreateDbContextAsync(cancel);
        await db.Tasks
            .Where(t => EF.Parameter(ids).Contains(t.Id) && EF.Parameter(tokens).Contains(t.ClaimToken!.Value))
            .GiveBackAsync(cancel);
        foreach (var task in interrupted)
            reporter.Report(task, jobs.Awaiting(task.Delivery.DueAt, "Given back by an instance that stopped"));
    }

    /// <summary>2, 4, 8 … seconds, at most a minute.</summary>
    private static TimeSpan BackOff(int tries) =>
        TimeSpan.FromSeconds(Math.Min(Math.Pow(2, tries), LongestBackOff.TotalSeconds));

    private void Announce(IReadOnlyCollection<(ClaimedTask Task, string Output)> completed, DateTimeOffset finishedAt)
    {
        console.Print(completed.Select(f => f.Output));
        foreach (var (task, output) in completed)
        {
            metrics.Finished(task, ScheduledTaskState.Completed);
            reporter.Succeeded(
                task.Delivery.JobId, task.Id, task.Delivery.CreatedAt, task.StartedAt, finishedAt, output);
        }
    }
}
