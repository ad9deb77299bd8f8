using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Maintenance;
using TaskScheduler.Jobs.Projection;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.Plans;

/// <summary>
/// What instances ask again and again costs the same however many tasks there are. The tests share the table: a hundred tasks
/// run in it at first, and those that another test claimed.
/// </summary>
public abstract class MaintenancePlanTests(PlanTable table)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>At most all that is running.</summary>
    [Fact]
    public Task LookReadsTheFirstOfEachKind() =>
        CheckAsync(jobs => jobs.Get<TableWatch>().LookAsync(Cancel), maxRows: 600);

    /// <summary>Of twenty thousand that are pending. SQLite's steps are those of the change, too, in all indexes.</summary>
    [Fact]
    public Task ClaimReadsWhatItTakes() =>
        CheckAsync(jobs => jobs.Get<TaskClaimer>().ClaimAsync(100, Cancel), maxRows: 700);

    /// <summary>All that is due is of kinds that are paused, but for a third.</summary>
    [Fact]
    public async Task ClaimPassesOverWhatIsPausedWithoutReadingIt()
    {
        await table.Jobs.Get<WorkerPause>().SetAsync([TaskKind.Fizz, TaskKind.Buzz], Cancel);
        try
        {
            await CheckAsync(jobs => jobs.Get<TableWatch>().LookAsync(Cancel), maxRows: 600);
            await CheckAsync(jobs => jobs.Get<TaskClaimer>().ClaimAsync(100, Cancel), maxRows: 700);
        }
        finally
        {
            await table.Jobs.Get<WorkerPause>().SetAsync([], Cancel);
        }
    }

    /// <summary>Nothing has expired, of tens of thousands that may.</summary>
    [Fact]
    public Task ExpiryReadsWhatExpires() => CheckAsync(jobs => jobs.Get<TaskExpirer>().ExpireAsync(Cancel), maxRows: 10);

    /// <summary>A step, and what it looks at.</summary>
    [Fact]
    public Task ChangeOfManyReadsWhatItChanges() => CheckAsync(
        jobs => jobs.Get<TaskBulk>().DeleteAsync(
            new TaskFilter([ScheduledTaskState.Failed], [TaskKind.Buzz]) { Labels = [PlanTable.FrequentLabel] }, Cancel),
        maxRows: 1_600);

    /// <summary>All that is running: they belong to an instance that is gone.</summary>
    [Fact]
    public Task TakeOverReadsWhatRuns() =>
        CheckAsync(jobs => jobs.Get<TaskClaimer>().TakeOverAsync(10, Cancel), maxRows: 900);

    [Fact]
    public Task ProjectorReadsWhatItShows() =>
        CheckAsync(jobs => jobs.Get<JobProjector>().ShowAsync(100, Cancel), maxRows: 450);

    /// <summary>
    /// In its second round it goes on among ten thousand tasks due at one moment. (PostgreSQL rather goes through the
    /// sequence, where every fifth task is one of them.)
    /// </summary>
    [Fact]
    public async Task AuditReadsTheNextTasks()
    {
        var audit = table.Jobs.Get<JobAudit>();
        await table.Jobs.Get<JobProjector>().ShowAsync(1, Cancel);
        await audit.RunOnceAsync(Cancel);

        await CheckAsync(_ => audit.RunOnceAsync(Cancel), maxRows: 6_000);
    }

    /// <summary>At most all that is running, once to find what ended and once to change it.</summary>
    [Fact]
    public async Task WorkerReadsItsOwnTasks()
    {
        await table.Jobs.CreateAsync(JobsAtRest.Start.AddYears(-1));
        var claimed = Assert.Single(await table.Jobs.Get<TaskClaimer>().ClaimAsync(1, Cancel));

        await CheckAsync(
            async jobs =>
            {
                var attempt = jobs.Get<RunningTasks>().Add(claimed);
                await jobs.Get<LostAttempts>().ReconcileAsync(Cancel);
                await jobs.CompleteAsync(claimed);
                await jobs.GiveBackAsync(claimed);
                jobs.Get<RunningTasks>().Remove(attempt);
            },
            maxRows: 600);
    }

    private async Task CheckAsync(Func<JobsAtRest, Task> ask, long maxRows)
    {
        var sent = await table.SentByAsync(ask);

        Assert.NotEmpty(sent);
        foreach (var command in sent)
        {
            foreach (var plan in await table.PlansAsync(command))
                Assert.True(!plan.ReadsWholeTable && plan.RowsRead <= maxRows, $"{plan.RowsRead} rows: {command.Text}\n{plan.Text}");
        }
    }
}

public sealed class EmbeddedMaintenancePlanTests(EmbeddedPlanTable table)
    : MaintenancePlanTests(table), IClassFixture<EmbeddedPlanTable>;

public sealed class PostgreSqlMaintenancePlanTests(PostgreSqlPlanTable table)
    : MaintenancePlanTests(table), IClassFixture<PostgreSqlPlanTable>;
