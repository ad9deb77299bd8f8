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
/// Takes what should be running and is not: running rows whose lease ran out, which get the next slot, and with slots to
/// spare due rows that nobody started, because their instance has no free slot, is gone, or Hangfire has let them down.
/// Hasty on purpose: of several instances that take the same row, the claim lets one start it.
/// </summary>
public sealed partial class TaskRescuer(
    IDbContextFactory<TaskDbContext> contexts,
    StoreSql sql,
    TaskJobs jobs,
    TaskWorker worker,
    LostAttempts lostAttempts,
    InstanceIdentity instance,
    TimeProvider clock,
    IOptions<ExecutionOptions> options,
    ILogger<TaskRescuer> logger) : MaintenanceProcess(clock)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.6);

    /// <summary>How long whoever holds a due row may take to claim it.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(0.25);

    private const int MostAtOnce = 1_000;

    /// <summary>Jobs are made one by one; the first of many start before the last have theirs.</summary>
    private const int MostJobsAtOnce = 50;

    /// <summary>Whether the last look ended for want of slots: then the next slot may be for a row that waits.</summary>
    private bool _mayBeMore = true;

    public override async Task<TimeSpan> RunOnceAsync(CancellationToken stop)
    {
        // Never more than there are slots for: of a hundred thousand overdue rows, the others are for other instances.
        var slots = Math.Clamp(worker.SpareSlots, 0, MostAtOnce);
        var rows = await FindAsync(slots, stop);
        _mayBeMore = rows.Count >= slots;
        // Before those that need a job: Hangfire may be in no state to make any.
        await worker.AdoptAsync([.. rows.Select(row => row.JobId).OfType<string>()]);
        worker.StartGranting();
        foreach (var group in rows.Where(row => row.JobId is null).Chunk(MostJobsAtOnce))
            await worker.AdoptAsync(await GiveJobsAsync(group, stateOf: null, stop));
        var abandoned = rows.Count(row => row.State == ScheduledTaskState.Running);
        if (abandoned > 0)
            Log.TookOver(logger, abandoned);
        if (rows.Count > abandoned)
            Log.Rescued(logger, rows.Count - abandoned);
        return Interval;
    }

    /// <summary>
    /// Makes each row name a new job, unless it changed meanwhile; then gives the new jobs their states, unless the caller
    /// will, and ends the old ones.
    /// </summary>
    /// <returns>The IDs of the new jobs that a row names.</returns>
    internal async Task<IReadOnlyCollection<string>> GiveJobsAsync(
        IReadOnlyCollection<ScheduledTask> rows, Func<ScheduledTask, IState>? stateOf, CancellationToken cancel)
    {
        if (rows.Count == 0)
            return [];
        var created = rows.ToDictionary(row => row.Id, row => jobs.Create(row.Id));
        var names = JsonSerializer.Serialize(
            rows.Select(row => new { id = row.Id, attempt = row.Attempt, from = row.JobId, to = created[row.Id] }));
        await using var db = await contexts.CreateDbContextAsync(cancel);
        string[] numbers = [.. created.Values];
        var named = await db.Database.CreateExecutionStrategy().ExecuteAsync(async stop =>
        {
            await using var transaction = await db.Database.BeginTransactionAsync(stop);
            // A row that names a job which was made just now means one of a job store that was lost, whose numbers began again.
            await db.Tasks
                .Where(t => EF.Parameter(numbers).Contains(t.JobId))
                .ExecuteUpdateAsync(set => set.SetProperty(t => t.JobId, (string?)null), stop);
            var ids = await db.Database.SqlQueryRaw<Guid>(sql.NameJobs, names).ToListAsync(stop);
            // At no moment is the job nobody's: it would be thrown away.
            await transaction.CommitAsync(stop);
            return ids.ToHashSet();
        }, cancel);
        var renamed = rows.Where(row => named.Contains(row.Id)).ToList();
        var starts = stateOf is null
            ? []
            : renamed.Select(row => new JobStateChange(created[row.Id], row.Id, row.CreatedAt, stateOf(row)));
        await jobs.ApplyAsync(
            [.. starts, .. renamed.Where(row => row.JobId is not null).Select(row => Replaced(row.JobId!, row))], cancel);
        if (stateOf is not null)
            await EndReplacedAsync(db, renamed, created, cancel);
        return [.. renamed.Select(row => created[row.Id])];
    }

    /// <summary>
    /// Before a new job had its state it looked lost itself, and another instance may have replaced it. Whoever does so
    /// after this look ends a job that has its state.
    /// </summary>
    private async Task EndReplacedAsync(
        TaskDbContext db, List<ScheduledTask> renamed, Dictionary<Guid, string> created, CancellationToken cancel)
    {
        var own = renamed.Select(row => created[row.Id]).ToArray();
        var named = await db.Tasks.Where(t => EF.Parameter(own).Contains(t.JobId)).Select(t => t.JobId).ToListAsync(cancel);
        await jobs.ApplyAsync(
            [.. renamed.Where(row => !named.Contains(created[row.Id])).Select(row => Replaced(created[row.Id], row))], cancel);
    }

    private static JobStateChange Replaced(string jobId, ScheduledTask row) =>
        new(jobId, row.Id, row.CreatedAt, new OwnDeletedState("Its task was given a new job"));

    protected override Task RestAsync(TimeSpan rest, CancellationToken stop) =>
        _mayBeMore ? worker.SlotFreed.WaitAsync(rest, stop) : base.RestAsync(rest, stop);

    private async Task<IReadOnlyCollection<ScheduledTask>> FindAsync(int most, CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var now = Clock.GetUtcNow().RoundDownToMillisecond();
        var alive = db.Instances.Alive(Clock, options.Value).Select(instance => (Guid?)instance.Id);
        var overdueSince = now - Grace;
        var abandoned = db.Tasks
            .Where(t => t.State == ScheduledTaskState.Running && !alive.Contains(t.InstanceId))
            .OrderBy(t => t.DueAt)
            .Take(MostAtOnce);
        var overdue = db.Tasks
            .Where(t => t.State == ScheduledTaskState.Pending && t.DueAt <= overdueSince && t.CreatedAt <= overdueSince)
            .OrderBy(t => t.DueAt).ThenBy(t => t.Sequence)
            // What this instance holds may be among the first, waiting for the next look of its own.
            .Take(most + worker.HeldDue);
        var rows = await (most > 0 ? abandoned.Concat(overdue) : abandoned).AsNoTracking().ToListAsync(cancel);
        var unknown = rows.Where(row => !worker.Knows(row.Id, row.DueAt)).ToLookup(row => row.State);
        // Of an attempt of its own the instance looks alive again as soon as it claims anything, and so would be refused.
        if (unknown[ScheduledTaskState.Running].Any(row => row.InstanceId == instance.Id))
            await lostAttempts.ReconcileAsync(cancel);
        var lost = unknown[ScheduledTaskState.Running].Where(row => row.InstanceId != instance.Id).ToList();
        return
        [
            .. lost,
            .. unknown[ScheduledTaskState.Pending].OrderBy(row => row.DueAt).ThenBy(row => row.Sequence)
                .Take(Math.Max(0, most - lost.Count)),
        ];
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Taking over {Count} tasks of an instance that is gone.")]
        public static partial void TookOver(ILogger logger, int count);

        [LoggerMessage(2, LogLevel.Debug, "Took {Count} due tasks that nobody had started.")]
        public static partial void Rescued(ILogger logger, int count);
    }
}
