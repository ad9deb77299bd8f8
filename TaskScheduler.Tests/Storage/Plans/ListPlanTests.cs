using Microsoft.EntityFrameworkCore;
using TaskScheduler.Api.Tasks;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Storage.Plans;

/// <summary>A page costs the same whatever the filter, however deep it lies and however many tasks there are.</summary>
public abstract class ListPlanTests(PlanTable table)
{
    private static readonly ScheduledTaskState[] States = Enum.GetValues<ScheduledTaskState>();
    private static readonly TaskKind[] Kinds = Enum.GetValues<TaskKind>();

    private static readonly Dictionary<string, (TaskFilter Filter, int Pairs)> Filters = new()
    {
        ["none"] = (new([], []), 12),
        ["most tasks"] = (new([ScheduledTaskState.Completed], []), 3),
        ["few tasks, all of them old"] = (new([ScheduledTaskState.Failed], [TaskKind.Buzz]), 1),
        ["a kind"] = (new([], [TaskKind.Fizz]), 4),
        ["several states and kinds"] = (
            new([ScheduledTaskState.Pending, ScheduledTaskState.Running, ScheduledTaskState.Failed], [TaskKind.Fizz, TaskKind.Buzz]), 6),
        ["all states"] = (new(States, Kinds), 15),
    };

    private static readonly Dictionary<string, long?> Positions = new()
    {
        ["first page"] = null,
        ["half way"] = 70_000,
        ["among tasks of one moment"] = (PlanTable.FirstOfMoment + PlanTable.LastOfMoment) / 2,
        ["last page"] = 1_000,
    };

    public static MatrixTheoryData<string, string, int> Pages => new(Filters.Keys, Positions.Keys, [50, ListTasksRequest.LargestPageSize]);

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task PageIsReadFromTheIndexAlone(string filter, string position, int pageSize)
    {
        var (list, pairs) = await ListAsync(filter, position, pageSize);

        // Of each pair a page and the row that says whether there are more; twice after a position; and the page itself.
        var ranges = Positions[position] is null ? pairs : 2 * pairs;
        foreach (var plan in await table.PlansAsync(list))
        {
            Assert.False(plan.ReadsWholeTable, plan.Text);
            Assert.True(plan.RowsRead <= (ranges + 1) * (pageSize + 1), $"{plan.RowsRead} rows were read.\n{plan.Text}");
            Assert.True(plan.RowsSorted <= pairs * (pageSize + 1), $"{plan.RowsSorted} rows were sorted.\n{plan.Text}");
        }
    }

    [Theory]
    [InlineData("none", "half way")]
    [InlineData("most tasks", "first page")]
    [InlineData("few tasks, all of them old", "first page")]
    [InlineData("all states", "among tasks of one moment")]
    public async Task WithoutTheIndexMoreIsReadOrSorted(string filter, string position)
    {
        var (list, pairs) = await ListAsync(filter, position, 50);

        foreach (var plan in await table.PlansAsync(list, before: $"DROP INDEX {Schema}\"{PlanTable.ListIndex}\""))
        {
            Assert.True(
                plan.ReadsWholeTable || plan.RowsRead > ((2 * pairs) + 1) * 51 || plan.RowsSorted > pairs * 51, plan.Text);
        }
    }

    [Fact]
    public async Task CountsAreReadFromTheIndexAlone()
    {
        var counts = Assert.Single(await table.SentByAsync(
            jobs => new TaskList(jobs.Get<IDbContextFactory<TaskDbContext>>()).CountAsync(TestContext.Current.CancellationToken)));

        foreach (var plan in await table.PlansAsync(counts, before: IndexesCostNoMore))
        {
            Assert.Matches($"(Index Only Scan|USING COVERING INDEX)[^|]*?{PlanTable.ListIndex}", plan.Text);
            Assert.DoesNotContain("Seq Scan", plan.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task FirstThatIsDueIsReadWithoutTheOthers()
    {
        var first = Assert.Single(await table.SentByAsync(
            jobs => new TaskList(jobs.Get<IDbContextFactory<TaskDbContext>>()).FirstDueAsync(TestContext.Current.CancellationToken)));

        foreach (var plan in await table.PlansAsync(first))
        {
            // SQLite calls it a scan, of which it takes one step.
            Assert.Contains("IX_Tasks_Pending", plan.Text);
            Assert.True(plan.RowsRead <= 1, $"{plan.RowsRead} rows were read.\n{plan.Text}");
        }
    }

    protected virtual string Schema => "";

    protected virtual string? IndexesCostNoMore => null;

    private async Task<(SentCommand List, int Pairs)> ListAsync(string filter, string position, int pageSize)
    {
        var after = Positions[position] is { } sequence ? new PagePosition(PlanTable.CreatedAt(sequence), sequence) : null;
        var sent = await table.SentByAsync(jobs => new TaskList(jobs.Get<IDbContextFactory<TaskDbContext>>())
            .PageAsync(Filters[filter].Filter, TaskSort.NewestFirst, pageSize, after, TestContext.Current.CancellationToken));
        return (Assert.Single(sent), Filters[filter].Pairs);
    }
}

public sealed class EmbeddedListPlanTests(EmbeddedPlanTable table) : ListPlanTests(table), IClassFixture<EmbeddedPlanTable>;

public sealed class PostgreSqlListPlanTests(PostgreSqlPlanTable table) : ListPlanTests(table), IClassFixture<PostgreSqlPlanTable>
{
    protected override string Schema => "scheduler.";

    /// <summary>As on a disk without a moving head; on others PostgreSQL may rather read all of the table.</summary>
    protected override string IndexesCostNoMore => "SET LOCAL random_page_cost = 1.1";
}
