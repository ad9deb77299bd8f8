using System.Text.Json;
using Hangfire.States;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Jobs.Maintenance;

/// <summary>
/// Gives a new job to every unfinished row that Hangfire has let down: running rows whose lease ran out, due rows that
/// nobody started, and rows to come whose job is missing or has ended. Hasty on purpose: the row names one job, only that
/// job can claim it, and the one it named before ends as a spare.
/// </summary>
public sealed partial class TaskRescuer(
    IDbContextFactory<TaskDbContext> contexts,
    StoreSql sql,
    TaskJobs jobs,
    TaskWorker worker,
    TimeProvider clock,
    IOptions<ExecutionOptions> options,
    ILogger<TaskRescuer> logger) : MaintenanceProcess(clock)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>How long a due row may take through Hangfire's queue before it is given a new job.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private const int MostAtOnce = 1_000;

    /// <summary>What was rescued lately and may still be on its way through the queue.</summary>
    private readonly Dictionary<Guid, DateTimeOffset> _underWay = [];

    public override async Task<TimeSpan> RunOnceAsync(CancellationToken stop)
    {
        var now = Clock.GetUtcNow();
        foreach (var (id, _) in _underWay.Where(rescued => rescued.Value + Grace < now || worker.Knows(rescued.Key)).ToList())
            _underWay.Remove(id);

        // Never more new jobs than free slots: of a hundred thousand overdue rows, the others keep the jobs they have.
        var slots = Math.Min(worker.SpareSlots - _underWay.Count, MostAtOnce);
        if (slots <= 0)
            return Interval;
        var rows = await FindAsync(slots, now, stop);
        var rescued = await RescueAsync(rows, _ => new EnqueuedState(TaskJobs.Queue) { Reason = "Rescued" }, stop);
        foreach (var row in rescued)
            _underWay[row.Id] = now;
        var abandoned = rescued.Count(row => row.State == ScheduledTaskState.Running);
        if (abandoned > 0)
            Log.TookOver(logger, abandoned);
        if (rescued.Count > abandoned)
            Log.Rescued(logger, rescued.Count - abandoned);
        return Interval;
    }

    /// <summary>
    /// Makes each row name a new job, unless it changed meanwhile; then lets the new jobs go and ends the old ones.
    /// </summary>
    /// <returns>The rows that have a new job.</returns>
    internal async Task<IReadOnlyCollection<ScheduledTask>> RescueAsync(
        IReadOnlyCollection<ScheduledTask> rows, Func<ScheduledTask, IState> stateOf, CancellationToken cancel)
    {
        if (rows.Count == 0)
            return [];
        var created = rows.ToDictionary(row => row.Id, row => jobs.Create(row.Id));
        var names = JsonSerializer.Serialize(
            rows.Select(row => new { id = row.Id, attempt = row.Attempt, from = row.JobId, to = created[row.Id] }));
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var named = (await db.Database.SqlQueryRaw<Guid>(sql.NameJobs, names).ToListAsync(cancel)).ToHashSet();
        var renamed = rows.Where(row => named.Contains(row.Id)).ToList();
        jobs.Apply(
        [
            .. renamed.Select(row => new JobStateChange(created[row.Id], row.Id, row.CreatedAt, stateOf(row))),
            .. renamed.Where(row => row.JobId is not null).Select(row => new JobStateChange(
                row.JobId!, row.Id, row.CreatedAt, new DeletedState { Reason = "Its task was given a new job" })),
        ]);
        return renamed;
    }

    protected override Task RestAsync(TimeSpan rest, CancellationToken stop) => worker.SlotFreed.WaitAsync(rest, stop);

    private async Task<IReadOnlyCollection<ScheduledTask>> FindAsync(int most, DateTimeOffset now, CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var alive = db.Instances.Alive(Clock, options.Value).Select(instance => (Guid?)instance.Id);
        var abandoned = await db.Tasks.AsNoTracking()
            .Where(t => t.State == ScheduledTaskState.Running && !alive.Contains(t.InstanceId))
            .OrderBy(t => t.DueAt)
            .Take(most + _underWay.Count)
            .ToListAsync(cancel);
        var overdueSince = now - Grace;
        var overdue = await db.Tasks.AsNoTracking()
            .Where(t => t.State == ScheduledTaskState.Pending && t.DueAt <= overdueSince && t.CreatedAt <= overdueSince)
            .OrderBy(t => t.DueAt).ThenBy(t => t.Sequence)
            .Take(most + _underWay.Count)
            .ToListAsync(cancel);
        return
        [
            .. abandoned.Concat(overdue)
                .Where(row => !_underWay.ContainsKey(row.Id) && !worker.Knows(row.Id))
                .Where(row => row.JobId is null || jobs.StateOf(row.JobId) != DeletedState.StateName)
                .Take(most),
        ];
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Taking over {Count} tasks of an instance that is gone.")]
        public static partial void TookOver(ILogger logger, int count);

        [LoggerMessage(2, LogLevel.Debug, "Gave {Count} overdue tasks a new job.")]
        public static partial void Rescued(ILogger logger, int count);
    }
}
