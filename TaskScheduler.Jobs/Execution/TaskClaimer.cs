using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// Step 3, claim: one guarded statement starts everything that was granted a slot. It takes a task only from the job that
/// its row names, only when it is due by the clock of the task table, and only if nobody who is alive runs it.
/// </summary>
public sealed class TaskClaimer(
    IDbContextFactory<TaskDbContext> contexts,
    StoreSql sql,
    InstanceIdentity instance,
    TimeProvider clock,
    IOptions<ExecutionOptions> options)
{
    /// <summary>
    /// Makes one attempt of each delivered task that may start. <paramref name="token"/> is new for each group and is kept
    /// for its retries: what an earlier try claimed without learning of it is returned by the next.
    /// </summary>
    public async Task<IReadOnlyList<ClaimedTask>> ClaimAsync(
        IReadOnlyList<Delivery> deliveries, Guid token, CancellationToken cancel)
    {
        var claim = JsonSerializer.Serialize(new
        {
            jobs = deliveries.Select(delivery => new { job = delivery.JobId, id = delivery.TaskId, attempt = delivery.Attempt }),
            token,
            instance = instance.Name,
            instanceId = instance.Id,
            lease = (long)options.Value.Lease.TotalMilliseconds,
            now = clock.GetUtcNow().ToUnixTimeMilliseconds(),
        });
        await using var db = await contexts.CreateDbContextAsync(cancel);
        // Plain SQL has no part in EF's strategy by itself; the token makes the repetition of a deadlock's victim harmless.
        await db.Database.CreateExecutionStrategy().ExecuteAsync(
            stop => db.Database.ExecuteSqlRawAsync(sql.Claim, [claim], stop), cancel);

        // A task may be held twice, each time with another due time or job; it was still claimed once.
        var held = deliveries.ToLookup(delivery => delivery.TaskId);
        var ids = held.Select(task => task.Key).ToArray();
        var claimed = await db.Tasks.AsNoTracking()
            .Where(t => EF.Parameter(ids).Contains(t.Id)
                && t.ClaimToken == token && t.State == ScheduledTaskState.Running)
            .Select(t => new { t.Id, t.JobId, t.Attempt, t.Tries, t.StartedAt })
            .ToListAsync(cancel);
        return
        [
            .. from row in claimed
               let delivery = held[row.Id].FirstOrDefault(delivery => delivery.JobId == row.JobId) ?? held[row.Id].First()
               select new ClaimedTask(delivery, row.Attempt, row.Tries, row.StartedAt!.Value, token),
        ];
    }
}
