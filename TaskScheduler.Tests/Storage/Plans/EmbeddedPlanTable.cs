using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using SQLitePCL;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.Plans;

/// <summary>The table in SQLite, without statistics: the product makes none there.</summary>
public sealed partial class EmbeddedPlanTable() : PlanTable(new EmbeddedTestStore())
{
    /// <summary>SQLite counts the steps of its machine: more than this for a row that is read, sorted and returned.</summary>
    private const int StepsPerRow = 40;

    protected override string Table => "Tasks";

    protected override string Numbers =>
        $"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {Rows}) SELECT n FROM numbers";

    public override async Task<IReadOnlyList<Plan>> PlansAsync(SentCommand command, string? before = null)
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var db = await Jobs.OpenTableAsync();
        await db.Database.OpenConnectionAsync(cancel);
        var connection = (SqliteConnection)db.Database.GetDbConnection();
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        if (before is not null)
            await connection.ExecuteAsync(before);
        var nodes = await ExplainAsync(connection, command);
        var steps = await CountStepsAsync(connection, command);

        var tasks = Alias().Matches(command.Text).Select(match => match.Groups["alias"].Value).Append("Tasks").ToHashSet();
        var whole = nodes.Any(node => Scanned().Match(node.Detail) is { Success: true } scan && tasks.Contains(scan.Groups["name"].Value));
        // What is read from an index in order is not sorted; what comes from a subquery ends at that one's limit.
        var sortsTasks = nodes.Any(node => node.Detail.StartsWith("USE TEMP B-TREE FOR ORDER BY", StringComparison.Ordinal)
            && nodes.Where(other => other.Parent == node.Parent).All(other => !other.Detail.StartsWith("SCAN", StringComparison.Ordinal)));
        var rows = (steps / StepsPerRow) + 1;
        return [new Plan($"{string.Join('\n', nodes.Select(node => node.Detail))}\n{steps} steps", whole, rows, sortsTasks ? Rows : 0)];
    }

    protected override string Time(string milliseconds) => $"({milliseconds})";

    protected override string Id(string number) => $"printf('00000000-0000-7000-8000-%012d', {number})";

    protected override Task FilledAsync() => Task.CompletedTask;

    private static async Task<List<(long Id, long Parent, string Detail)>> ExplainAsync(SqliteConnection connection, SentCommand sent)
    {
        await using var command = Command(connection, sent, "EXPLAIN QUERY PLAN ");
        await using var reader = await command.ExecuteReaderAsync();
        var nodes = new List<(long, long, string)>();
        while (await reader.ReadAsync())
            nodes.Add((reader.GetInt64(0), reader.GetInt64(1), reader.GetString(3)));
        return nodes;
    }

    private static async Task<long> CountStepsAsync(SqliteConnection connection, SentCommand sent)
    {
        const int every = 50;
        var steps = 0L;
        raw.sqlite3_progress_handler(connection.Handle, every, _ => { steps += every; return 0; }, null);
        try
        {
            await using var command = Command(connection, sent);
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
            }
        }
        finally
        {
            raw.sqlite3_progress_handler(connection.Handle, 0, null, null);
        }

        return steps;
    }

    private static SqliteCommand Command(SqliteConnection connection, SentCommand sent, string explain = "")
    {
        var command = connection.CreateCommand();
#pragma warning disable CA2100 // The text is the product's own.
        command.CommandText = explain + sent.Text;
#pragma warning restore CA2100
        foreach (var (name, value) in sent.Parameters)
            command.Parameters.AddWithValue($"@{name}", value ?? DBNull.Value);
        return command;
    }

    [GeneratedRegex("""
        "Tasks" AS "(?<alias>\w+)"
        """)]
    private static partial Regex Alias();

    /// <summary>The indexes of what is running and of what is not shown yet are no part of the table that grows.</summary>
    [GeneratedRegex(@"^SCAN (?<name>\w+)(?! USING INDEX IX_Tasks_(Running|NotShown)\b)\b")]
    private static partial Regex Scanned();
}
