using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Storage.Plans;

/// <summary>The figures of the pictures cost what they show, however many tasks there are.</summary>
public abstract class FigurePlanTests(PlanTable table)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Ten thousand are overdue, and ten thousand due in a year: the first are counted, the others passed over.</summary>
    [Fact]
    public async Task WhatIsDueIsReadWithoutWhatIsDueLater()
    {
        var sent = await table.SentByAsync(jobs => jobs.Get<TaskFigures>().DueAsync(Cancel));

        Assert.Equal(2, sent.Count);
        await CheckAsync(sent[0], TaskFigures.MostOverdue + 1);
        await CheckAsync(sent[1], 10);
    }

    [Fact]
    public async Task WhatWasDoneIsReadFromItsMinutesAlone()
    {
        var from = TaskFigures.StartOfMinute(PlanTable.CreatedAt(90_000));

        var sent = await table.SentByAsync(jobs => jobs.Get<TaskFigures>().DoneAsync(from, 3, Cancel));

        // A task is created every tenth of a second, and finished at once.
        Assert.Equal(4, sent.Count);
        foreach (var command in sent)
            await CheckAsync(command, 3 * 600);
    }

    /// <summary>A fifth of all tasks finished in this minute, at one moment.</summary>
    [Fact]
    public async Task LatenessIsReadFromASample()
    {
        var minute = TaskFigures.StartOfMinute(PlanTable.CreatedAt(PlanTable.LastOfMoment));

        var sent = await table.SentByAsync(jobs => jobs.Get<TaskFigures>().DoneAsync(minute, 1, Cancel));

        Assert.Equal(2, sent.Count);
        await CheckAsync(sent[1], 600);
    }

    /// <summary>A hundred run.</summary>
    [Fact]
    public async Task WhatInstancesRunIsReadWithoutTheOthers()
    {
        var sent = await table.SentByAsync(jobs => jobs.Get<TaskFigures>().InstancesAsync(Cancel));

        await CheckAsync(Assert.Single(sent), 150);
    }

    private async Task CheckAsync(SentCommand command, long maxRows)
    {
        foreach (var plan in await table.PlansAsync(command))
            Assert.True(!plan.ReadsWholeTable && plan.RowsRead <= maxRows, $"{plan.RowsRead} rows: {command.Text}\n{plan.Text}");
    }
}

public sealed class EmbeddedFigurePlanTests(EmbeddedPlanTable table) : FigurePlanTests(table), IClassFixture<EmbeddedPlanTable>;

public sealed class PostgreSqlFigurePlanTests(PostgreSqlPlanTable table) : FigurePlanTests(table), IClassFixture<PostgreSqlPlanTable>;
