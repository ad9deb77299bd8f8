using TaskScheduler.Api.Tasks;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.Plans;

/// <summary>A page costs the same whatever the filter, however deep it lies and however many tasks there are.</summary>
public abstract class ListPlanTests(PlanTable table)
{
    private static readonly ScheduledTaskState[] States = Enum.GetValues<ScheduledTaskState>();
    private static readonly TaskKind[] Kinds = Enum.GetValues<TaskKind>();

    /// <summary>Each with the number of its parts: pairs of kind and state, for each label.</summary>
    private static readonly Dictionary<string, (TaskFilter Filter, int Parts)> Filters = new()
    {
        ["none"] = (new([], []), 15),
        ["most tasks"] = (new([ScheduledTaskState.Completed], []), 3),
        ["few tasks, all of them old"] = (new([ScheduledTaskState.Failed], [TaskKind.Buzz]), 1),
        ["a kind"] = (new([], [TaskKind.Fizz]), 5),
        ["several states and kinds"] = (
            new([ScheduledTaskState.Pending, ScheduledTaskState.Running, ScheduledTaskState.Failed], [TaskKind.Fizz, TaskKind.Buzz]), 6),
        ["all states"] = (new(States, Kinds), 18),
        ["a label of many"] = (new([], []) { Labels = [PlanTable.FrequentLabel] }, 15),
        ["a label of one"] = (new([], []) { Labels = ["order-99994"] }, 15),
        ["several labels, a state and a kind"] = (
            new([ScheduledTaskState.Completed], [TaskKind.Fizz]) { Labels = [PlanTable.FrequentLabel, "order-4", "order-99994"] }, 3),
    };

    private static readonly Dictionary<string, TaskFilter> Ranges = new()
    {
        ["half of all"] = new([], []) { ExecuteFrom = JobsAtRest.Start },
        ["none"] = new([], []) { ExecuteFrom = JobsAtRest.Start, ExecuteTo = JobsAtRest.Start.AddDays(1) },
        ["all of a kind and a label"] = new([], [TaskKind.Buzz])
        {
            Labels = [PlanTable.FrequentLabel],
            ExecuteFrom = JobsAtRest.Start.AddDays(-1),
            ExecuteTo = JobsAtRest.Start.AddYears(2),
        },
    };

    private static readonly Dictionary<string, long?> Positions = new()
    {
        ["first page"] = null,
        ["half way"] = 70_000,
        ["among tasks of one moment"] = (PlanTable.FirstOfMoment + PlanTable.LastOfMoment) / 2,
        ["last page"] = 1_000,
    };

    public static MatrixTheoryData<string, TaskSort, string, int> Pages =>
        new(Filters.Keys, Enum.GetValues<TaskSort>(), Positions.Keys, [50, ListTasksRequest.LargestPageSize]);

    public static MatrixTheoryData<string, TaskSort> PagesOfARange => new(Ranges.Keys, Enum.GetValues<TaskSort>());

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task PageIsReadFromTheIndexAlone(string filter, TaskSort sort, string position, int pageSize)
    {
        var (list, parts) = await ListAsync(filter, sort, position, pageSize);

        // Of each part a page and the row that says whether there are more; twice after a position; and the page itself.
        var ranges = Positions[position] is null ? parts : 2 * parts;
        foreach (var plan in await table.PlansAsync(list))
        {
            Assert.False(plan.ReadsWholeTable, plan.Text);
            Assert.True(plan.RowsRead <= (ranges + 1) * (pageSize + 1), $"{plan.RowsRead} rows were read.\n{plan.Text}");
            Assert.True(plan.RowsSorted <= ranges * (pageSize + 1), $"{plan.RowsSorted} rows were sorted.\n{plan.Text}");
        }
    }

    /// <summary>In the order of the times it is a range of the index; newest first, a page looks at a part of the table.</summary>
    [Theory]
    [MemberData(nameof(PagesOfARange))]
    public async Task PageOfARangeReadsNoMoreThanItLooksAt(string range, TaskSort sort)
    {
        var sent = await table.SentByAsync(jobs => jobs.Get<TaskList>().PageAsync(
            Ranges[range], sort, 50, new PagePosition(TimeOf(70_000, sort), 70_000), TestContext.Current.CancellationToken));

        Assert.NotEmpty(sent);
        foreach (var plan in (await Task.WhenAll(sent.Select(statement => table.PlansAsync(statement)))).SelectMany(plans => plans))
        {
            // SQLite sorts what it reads of each part, at most a page, and counts these steps as rows.
            var max = sort == TaskSort.NextFirst ? 4 * 31 * 51 : 8 * TaskList.Window;
            Assert.True(plan.RowsRead <= max && !plan.ReadsWholeTable, $"{plan.RowsRead} rows were read.\n{plan.Text}");
        }
    }

    [Theory]
    [InlineData("none", "half way")]
    [InlineData("most tasks", "first page")]
    [InlineData("all states", "among tasks of one moment")]
    public async Task WithoutTheIndexMoreIsReadOrSorted(string filter, string position)
    {
        var (list, pairs) = await ListAsync(filter, TaskSort.NewestFirst, position, 50);

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
            jobs => jobs.Get<TaskList>().CountAsync(TestContext.Current.CancellationToken)));

        foreach (var plan in await table.PlansAsync(counts, before: IndexesCostNoMore))
        {
            Assert.Matches("(Index Only Scan|USING COVERING INDEX)[^|]*?IX_Tasks_Kind_State_(CreatedAt|ExecuteAt)_Sequence", plan.Text);
            Assert.DoesNotContain("Seq Scan", plan.Text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("none")]
    [InlineData("most tasks")]
    [InlineData("few tasks, all of them old")]
    public async Task NoMoreAreCountedThanAsked(string filter)
    {
        const int most = 100;
        var count = Assert.Single(await table.SentByAsync(jobs => jobs.Get<TaskList>()
            .CountUpToAsync(most, Filters[filter].Filter, TestContext.Current.CancellationToken)));

        foreach (var plan in await table.PlansAsync(count))
        {
            Assert.False(plan.ReadsWholeTable, plan.Text);
            Assert.True(plan.RowsRead <= (Filters[filter].Parts + 1) * (most + 1), $"{plan.RowsRead} rows were read.\n{plan.Text}");
        }
    }

    [Fact]
    public async Task FirstThatIsDueIsReadWithoutTheOthers()
    {
        var first = Assert.Single(await table.SentByAsync(
            jobs => jobs.Get<TaskList>().FirstDueAsync(TestContext.Current.CancellationToken)));

        foreach (var plan in await table.PlansAsync(first))
        {
            // SQLite calls it a scan, of which it takes one step.
            Assert.Contains("IX_Tasks_Pending", plan.Text);
            Assert.True(plan.RowsRead <= 1, $"{plan.RowsRead} rows were read.\n{plan.Text}");
        }
    }

    protected virtual string Schema => "";

    protected virtual string? IndexesCostNoMore => null;

    private async Task<(SentCommand List, int Parts)> ListAsync(string filter, TaskSort sort, string position, int pageSize)
    {
        var after = Positions[position] is { } sequence ? new PagePosition(TimeOf(sequence, sort), sequence) : null;
        var sent = await table.SentByAsync(jobs => jobs.Get<TaskList>().PageAsync(
            Filters[filter].Filter, sort, pageSize, after, TestContext.Current.CancellationToken));
        return (Assert.Single(sent), Filters[filter].Parts);
    }

    private static DateTimeOffset TimeOf(long sequence, TaskSort sort) =>
        sort == TaskSort.NewestFirst ? PlanTable.CreatedAt(sequence) : PlanTable.ExecuteAt(sequence);
}

public sealed class EmbeddedListPlanTests(EmbeddedPlanTable table) : ListPlanTests(table), IClassFixture<EmbeddedPlanTable>;

public sealed class PostgreSqlListPlanTests(PostgreSqlPlanTable table) : ListPlanTests(table), IClassFixture<PostgreSqlPlanTable>
{
    protected override string Schema => "scheduler.";

    /// <summary>As on a disk without a moving head; on others PostgreSQL may rather read all of the table.</summary>
    protected override string IndexesCostNoMore => "SET LOCAL random_page_cost = 1.1";
}
