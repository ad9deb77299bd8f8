using System.Collections.Concurrent;
using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.Plans;

/// <summary>A statement of the product's own, as it was sent.</summary>
public sealed record SentCommand(string Text, IReadOnlyList<(string Name, object? Value)> Parameters);

/// <summary>How a database carries out a statement.</summary>
/// <param name="Text">In the database's own words.</param>
/// <param name="ReadsWholeTable">Whether it goes through the task table from its beginning to its end.</param>
/// <param name="RowsRead">How many tasks it looked at, in the table or in an index, or at most so many.</param>
/// <param name="RowsSorted">How many it sorted at once, or at least so many.</param>
public sealed record Plan(string Text, bool ReadsWholeTable, long RowsRead, long RowsSorted);

/// <summary>
/// A task table that is large enough for a database to choose between ways of reading it: a row for each number from 1, its
/// sequence. A fifth of them was created at one moment, and what is pending is due at one of two.
/// </summary>
public abstract class PlanTable(ITestStore store) : Fixture<JobsAtRest>
{
    public const int Rows = 100_000;
    public const int FirstOfMoment = 40_000;
    public const int LastOfMoment = 60_000;
    public const string ListIndex = "IX_Tasks_Kind_State_CreatedAt_Sequence";

    /// <summary>Of every tenth task; another tenth has a label of its own, <c>order-</c> and its number.</summary>
    public const string FrequentLabel = "team-1";

    /// <summary>What is pending is due an hour ago up to this row, and in a year from there on.</summary>
    public const int LastOverdue = 50_000;

    private readonly Capture _capture = new();

    public JobsAtRest Jobs => Made;

    protected abstract string Table { get; }

    private static DateTimeOffset Origin => JobsAtRest.Start.AddDays(-1);

    public static DateTimeOffset CreatedAt(long sequence) =>
        Origin.AddMilliseconds(100 * (sequence is > FirstOfMoment and <= LastOfMoment ? LastOfMoment : sequence));

    public static DateTimeOffset ExecuteAt(long sequence) =>
        JobsAtRest.Start.AddHours(sequence <= LastOverdue ? -1 : 24 * 365);

    /// <summary>What the product sends about tasks while it is asked.</summary>
    public async Task<IReadOnlyList<SentCommand>> SentByAsync(Func<JobsAtRest, Task> ask)
    {
        _capture.Sent.Clear();
        await ask(Jobs);
        return [.. _capture.Sent.Where(command => command.Text.Contains("Tasks", StringComparison.Ordinal))];
    }

    /// <summary>Carries out a statement for each of the plans that it may have, and takes back what it changed.</summary>
    /// <param name="command">The statement.</param>
    /// <param name="before">What is done before, and taken back as well.</param>
    public abstract Task<IReadOnlyList<Plan>> PlansAsync(SentCommand command, string? before = null);

    protected override async Task<JobsAtRest> MakeAsync()
    {
        var jobs = await JobsAtRest.OpenAsync(store, services => services.AddSingleton<IInterceptor>(_capture));
        await store.ExecuteAsync($"""
            INSERT INTO {Table} ("Sequence", "Id", "Kind", "State", "ExecuteAt", "DueAt", "CreatedAt", "StartedAt", "FinishedAt",
              "DeletedAt", "Attempt", "Tries", "Instance", "InstanceId", "ClaimToken", "Output", "Error", "Version", "IsShown",
              "Label", "ExpireAt", "StartBy")
            SELECT n, {Id("n")}, CASE n % 3 WHEN 0 THEN 'Fizz' WHEN 1 THEN 'Buzz' ELSE 'FizzBuzz' END, state,
              {Time("due")}, {Time("due")}, {Time("created")},
              CASE WHEN state IN ('Running', 'Completed', 'Failed') THEN {Time("created")} END,
              CASE WHEN state IN ('Completed', 'Failed') THEN {Time("created")} END,
              CASE WHEN state = 'Deleted' THEN {Time("created")} END,
              CASE WHEN state IN ('Running', 'Completed', 'Failed') THEN 1 ELSE 0 END, 0,
              CASE WHEN state = 'Running' THEN 'web-1:4711' END, CASE WHEN state = 'Running' THEN {Id("0")} END, NULL,
              CASE WHEN state = 'Completed' THEN 'Fizz {Guid.Empty}' END,
              CASE WHEN state = 'Failed' THEN 'Full' END, 1, n % 100 <> 0,
              CASE n % 10 WHEN 3 THEN '{FrequentLabel}' WHEN 4 THEN 'order-' || n END,
              CASE WHEN n % 5 = 0 THEN {Time("due + 86400000")} END,
              CASE WHEN n % 5 = 0 AND state = 'Pending' THEN {Time("due + 86400000")} END
            FROM (
              SELECT n,
                {Origin.ToUnixTimeMilliseconds()}
                  + 100 * CASE WHEN n > {FirstOfMoment} AND n <= {LastOfMoment} THEN {LastOfMoment} ELSE n END AS created,
                {JobsAtRest.Start.ToUnixTimeMilliseconds()}
                  + CAST(3600000 AS bigint) * CASE WHEN n <= {LastOverdue} THEN -1 ELSE 24 * 365 END AS due,
                CASE WHEN n % 1000 = 7 THEN 'Running'
                  WHEN n * 7919 % 100 < 20 THEN 'Pending'
                  WHEN n * 7919 % 100 < 28 THEN 'Deleted'
                  WHEN n * 7919 % 100 < 30 AND (n % 3 <> 1 OR n < 2000) THEN 'Failed'
                  ELSE 'Completed' END AS state
              FROM ({Numbers}) AS numbers) AS tasks
            """);
        await FilledAsync();
        return jobs;
    }

    protected override async ValueTask EndAsync()
    {
        await base.EndAsync();
        await store.DisposeAsync();
    }

    /// <summary>A select of the numbers from 1 to <see cref="Rows"/> as <c>n</c>.</summary>
    protected abstract string Numbers { get; }

    /// <summary>Unix milliseconds as the store keeps a time.</summary>
    protected abstract string Time(string milliseconds);

    /// <summary>An ID that holds the number.</summary>
    protected abstract string Id(string number);

    protected abstract Task FilledAsync();

    private sealed class Capture : DbCommandInterceptor
    {
        public ConcurrentQueue<SentCommand> Sent { get; } = [];

        public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
            DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
        {
            Note(command);
            return new(result);
        }

        public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
            DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        {
            Note(command);
            return new(result);
        }

        private void Note(DbCommand command) => Sent.Enqueue(new(
            command.CommandText, [.. command.Parameters.Cast<DbParameter>().Select(p => (p.ParameterName.TrimStart('@'), p.Value))]));
    }
}
