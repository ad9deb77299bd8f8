using System.Collections;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.Plans;

/// <summary>The table in PostgreSQL, with the statistics that its autovacuum makes.</summary>
public sealed partial class PostgreSqlPlanTable : PlanTable
{
    private readonly PostgreSqlTestStore _store;

    public PostgreSqlPlanTable()
        : this(new PostgreSqlTestStore())
    {
    }

    private PostgreSqlPlanTable(PostgreSqlTestStore store)
        : base(store) => _store = store;

    protected override string Table => "scheduler.\"Tasks\"";

    protected override string Numbers => $"SELECT n FROM generate_series(1, {Rows}::bigint) AS n";

    /// <summary>One plan for the values at hand, and the one for any values, which a prepared statement may come to.</summary>
    public override async Task<IReadOnlyList<Plan>> PlansAsync(SentCommand command, string? before = null) =>
    [
        await ExplainAsync(command, before, "force_custom_plan"),
        await ExplainAsync(command, before, "force_generic_plan"),
    ];

    protected override string Time(string milliseconds) => $"to_timestamp(({milliseconds}) / 1000.0)";

    protected override string Id(string number) => $"('00000000-0000-7000-8000-' || lpad(({number})::text, 12, '0'))::uuid";

    protected override async Task FilledAsync()
    {
        await _store.ExecuteAsync($"""SELECT setval(pg_get_serial_sequence('{Table}', 'Sequence'), {Rows})""");
        await _store.ExecuteAsync($"VACUUM ANALYZE {Table}");
    }

    private async Task<Plan> ExplainAsync(SentCommand command, string? before, string mode)
    {
        var names = command.Parameters.Select(parameter => parameter.Name).ToList();
        var text = Placeholder().Replace(command.Text, match => $"${names.IndexOf(match.Groups["name"].Value) + 1}");
        var values = names is [] ? "" : $"({string.Join(", ", command.Parameters.Select(parameter => Literal(parameter.Value)))})";
        var answer = await _store.AskAsync<string>($"""
            BEGIN;
            {before};
            SET LOCAL plan_cache_mode = {mode};
            PREPARE sent AS {text};
            EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE sent {values};
            ROLLBACK
            """);
        var nodes = Nodes(JsonElement.Parse(answer.Single())[0].GetProperty("Plan")).ToList();
        return new Plan(
            $"{mode}: {answer.Single()}",
            nodes.Any(node => Type(node) == "Seq Scan" && IsOfTasks(node)),
            nodes.Where(IsOfTasks).Sum(node => Number(node, "Actual Loops") * (Number(node, "Actual Rows")
                + Number(node, "Rows Removed by Filter") + Number(node, "Rows Removed by Index Recheck"))),
            nodes.Where(node => Type(node).EndsWith("Sort", StringComparison.Ordinal))
                .Select(node => node.GetProperty("Plans")[0])
                .Select(source => Number(source, "Actual Rows"))
                .DefaultIfEmpty()
                .Max());
    }

    private static IEnumerable<JsonElement> Nodes(JsonElement node) =>
        node.TryGetProperty("Plans", out var children) ? children.EnumerateArray().SelectMany(Nodes).Prepend(node) : [node];

    private static string Type(JsonElement node) => node.GetProperty("Node Type").GetString()!;

    private static bool IsOfTasks(JsonElement node) => Type(node).EndsWith("Scan", StringComparison.Ordinal)
        && node.TryGetProperty("Relation Name", out var name) && name.GetString() == "Tasks";

    private static long Number(JsonElement node, string name) =>
        node.TryGetProperty(name, out var number) ? (long)Math.Ceiling(number.GetDouble()) : 0;

    private static string Literal(object? value) => value switch
    {
        null or DBNull => "NULL",
        string text => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'",
        DateTimeOffset time => string.Create(CultureInfo.InvariantCulture, $"'{time.UtcDateTime:yyyy-MM-dd HH:mm:ss.ffffff}+00'"),
        IEnumerable several => $"'{{{string.Join(',', several.Cast<object>())}}}'",
        Guid id => $"'{id}'",
        _ => string.Create(CultureInfo.InvariantCulture, $"{value}"),
    };

    [GeneratedRegex(@"@(?<name>\w+)")]
    private static partial Regex Placeholder();
}
