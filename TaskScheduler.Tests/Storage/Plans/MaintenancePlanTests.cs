using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Maintenance;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.Plans;

/// <summary>What instances ask again and again costs the same however many tasks there are.</summary>
public abstract class MaintenancePlanTests(PlanTable table)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public Task RescuerReadsWhatItTakes() =>
        CheckAsync(jobs => Get<TaskRescuer>(jobs).RunOnceAsync(Cancel), mostRows: 1_500);

    /// <summary>
    /// In its second round it goes on among ten thousand tasks due at one moment. (PostgreSQL rather goes through the
    /// sequence, where every fifth task is one of them.)
    /// </summary>
    [Fact]
    public async Task RebuilderReadsTheNextTasks()
    {
        var rebuilder = Get<JobRebuilder>(table.Jobs);
        await rebuilder.RunOnceAsync(Cancel);

        await CheckAsync(_ => rebuilder.RunOnceAsync(Cancel), mostRows: 6_000);
    }

    /// <summary>Its first rounds look a day back, at so many at once.</summary>
    [Fact]
    public async Task SweeperReadsWhatHasEnded()
    {
        var sweeper = Get<FinishedJobSweeper>(table.Jobs);
        await CheckAsync(_ => sweeper.RunOnceAsync(Cancel), mostRows: 10_000);
        for (var i = 0; i < 10; i++)
            await sweeper.RunOnceAsync(Cancel);

        await CheckAsync(_ => sweeper.RunOnceAsync(Cancel), mostRows: 1_000);
    }

    /// <summary>At most all that is running, a hundred tasks here.</summary>
    [Fact]
    public async Task WorkerReadsItsOwnTasks()
    {
        var task = await table.Jobs.CreateAsync();

        await CheckAsync(
            async jobs =>
            {
                var claimed = Assert.Single(await jobs.ClaimAsync(task));
                using var attempt = jobs.Get<RunningTasks>().Add(claimed);
                await jobs.Get<LostAttempts>().ReconcileAsync(Cancel);
                await jobs.CompleteAsync(claimed);
                await jobs.Get<TaskCompleter>().SettleAsync([claimed.Finished()], Cancel);
                await jobs.Get<TaskCompleter>().GiveBackAsync([claimed], Cancel);
                await jobs.Get<JobIntake>().TakeAsync([task.JobId!], IntakeReason.Enqueued, Cancel);
            },
            mostRows: 150);
    }

    private static T Get<T>(JobsAtRest jobs) => ActivatorUtilities.GetServiceOrCreateInstance<T>(jobs.Get<IServiceProvider>());

    private async Task CheckAsync(Func<JobsAtRest, Task> ask, long mostRows)
    {
        var sent = await table.SentByAsync(ask);

        Assert.NotEmpty(sent);
        foreach (var command in sent)
        {
            foreach (var plan in await table.PlansAsync(command))
                Assert.True(!plan.ReadsWholeTable && plan.RowsRead <= mostRows, $"{plan.RowsRead} rows: {command.Text}\n{plan.Text}");
        }
    }
}

public sealed class EmbeddedMaintenancePlanTests(EmbeddedPlanTable table)
    : MaintenancePlanTests(table), IClassFixture<EmbeddedPlanTable>;

public sealed class PostgreSqlMaintenancePlanTests(PostgreSqlPlanTable table)
    : MaintenancePlanTests(table), IClassFixture<PostgreSqlPlanTable>;
