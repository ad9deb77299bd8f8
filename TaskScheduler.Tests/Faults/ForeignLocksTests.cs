using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Npgsql;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>
/// Hangfire's locks, jobs and tables in the hands of another program that is frozen, or gone altogether: no due task and no
/// request waits for them, and what happened meanwhile is shown afterwards.
/// </summary>
[Collection(OnAServer.Name)]
public sealed class ForeignLocksTests : IAsyncLifetime
{
    private static readonly TimeSpan MaxAnswer = TimeSpan.FromSeconds(10);

    /// <summary>Less than the 15 s of a statement that waits for a lock.</summary>
    private static readonly TimeSpan MaxLate = TimeSpan.FromSeconds(10);

    private const string Tables = "hangfire.job, hangfire.state, hangfire.hash, hangfire.set, hangfire.counter, hangfire.lock";

    /// <summary>What a transaction that is frozen keeps from all others.</summary>
    private static readonly string[] Holds =
    [
        "INSERT INTO hangfire.lock (resource, acquired) SELECT 'hangfire:job:' || id || ':state-lock', now() FROM hangfire.job",
        "SELECT FROM hangfire.job FOR UPDATE",
        $"LOCK TABLE {Tables} IN ACCESS EXCLUSIVE MODE",
    ];

    private const string AllRows = "SELECT FROM scheduler.\"Tasks\" FOR UPDATE";

    private readonly PostgreSqlTestStore _store = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _store.CreateAsync();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    /// <summary>One after the other in the life of one instance: a start takes longer than what is looked at.</summary>
    [Fact]
    public async Task NothingWaitsForWhatAnotherProgramHoldsOrTakesAway()
    {
        await using var instance = await InstanceProcess.StartOnAsync(_store);
        foreach (var hold in Holds)
            await NothingWaitsAsync(instance, hold, frozen: true);
        await NothingWaitsAsync(instance, $"TRUNCATE {Tables} RESTART IDENTITY CASCADE", frozen: false);
        // With no table to write to, nothing can be shown.
        await NothingWaitsAsync(instance, "DROP SCHEMA hangfire CASCADE", frozen: false, canBeShown: false);
    }

    /// <summary>An instance that cannot start the one task has its slot for the others, and starts the one when it can.</summary>
    [Fact]
    public async Task NoOtherTaskWaitsForATaskThatAFrozenTransactionHolds()
    {
        await using var instance = await InstanceProcess.StartOnAsync(_store, "--Worker:Count=1");
        // A busy machine takes seconds to lock the row, which it must be before the task is due.
        var due = TimeProvider.System.GetUtcNow().AddSeconds(10);
        var locked = await instance.CreateAsync("Fizz", due);
        await using var holder = await HoldAsync(AllRows, frozen: true);
        var held = await instance.CreateAsync("Fizz", due.AddSeconds(1));
        await Eventually.TrueAsync(() => TimeProvider.System.GetUtcNow() > due, "the task whose row is locked is due");
        var posted = await instance.CreateAsync("Fizz", TimeProvider.System.GetUtcNow());

        await Eventually.TrueAsync(() => instance.Output.Count == 2, "the other tasks are done while the row is locked");
        await holder.CloseAsync();
        await Eventually.TrueAsync(() => instance.Output.Count == 3, "the task is done once its row is not locked");

        string[] others = [$"Fizz {held}", $"Fizz {posted}"];
        Assert.Equal(others.Order(), instance.Output.Take(2).Select(line => line.Text).Order());
        Assert.Equal($"Fizz {locked}", instance.Output.Last().Text);
    }

    [Fact]
    public async Task NoOtherTaskWaitsForManyTasksThatAFrozenTransactionHolds()
    {
        await using var api = await InstanceProcess.StartOnAsync(_store, "--Instance:Role=Api");
        var due = TimeProvider.System.GetUtcNow();
        await Parallel.ForAsync(0, 50, Cancel, async (_, _) => await api.CreateAsync("Fizz", due));
        await using var holder = await HoldAsync(AllRows, frozen: true);
        await using var worker = await InstanceProcess.StartOnAsync(_store, "--Instance:Role=Worker", "--Worker:Count=1");
        var posted = await api.CreateAsync("Fizz", TimeProvider.System.GetUtcNow());

        await Eventually.TrueAsync(() => worker.Output.Count > 0, "the other task is done while the rows are locked");

        Assert.Equal($"Fizz {posted}", worker.Output.Single().Text);
    }

    private async Task NothingWaitsAsync(InstanceProcess instance, string hold, bool frozen, bool canBeShown = true)
    {
        var printed = instance.Output.Count;
        var due = TimeProvider.System.GetUtcNow().AddSeconds(5);
        var toRun = await instance.CreateAsync("Fizz", due);
        // Not due before it is deleted, however long the jobs take.
        var toDelete = await instance.CreateAsync("Fizz", due.AddHours(1));
        var toMove = await instance.CreateAsync("Fizz", due.AddHours(1));
        await Eventually.TrueAsync(AreAllShownAsync, "all have their jobs");
        await using var holder = await HoldAsync(hold, frozen);

        using (var deleted = await SoonAsync(() => instance.Client.DeleteAsync($"/tasks/{toDelete}", Cancel)))
            Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        var executeAt = new { executeAt = due };
        using (var moved = await SoonAsync(() => instance.Client.PatchAsJsonAsync($"/tasks/{toMove}", executeAt, Cancel)))
            Assert.Equal(HttpStatusCode.OK, moved.StatusCode);
        using (var list = await SoonAsync(() => instance.Client.GetAsync("/tasks?state=Pending", Cancel)))
            Assert.Equal(HttpStatusCode.OK, list.StatusCode);
        var posted = await SoonAsync(() => instance.CreateAsync("Fizz", TimeProvider.System.GetUtcNow()));

        await Eventually.TrueAsync(() => instance.Output.Count == printed + 3, $"all three are done in spite of {hold}");
        Guid[] done = [toRun, toMove, posted];
        Assert.Equal(done.Select(id => $"Fizz {id}").Order(), instance.Output.Skip(printed).Select(line => line.Text).Order());
        var late = await _store.AskAsync<TimeSpan>(
            "SELECT \"StartedAt\" - greatest(\"ExecuteAt\", \"CreatedAt\") FROM scheduler.\"Tasks\" WHERE \"State\" = 'Completed'");
        Assert.All(late, lateness => Assert.InRange(lateness, TimeSpan.Zero, MaxLate));

        await holder.CloseAsync();
        if (!canBeShown)
            return;
        await Eventually.TrueAsync(AreAllShownAsync, "what happened meanwhile is shown", Eventually.Deadline * 2);
        Assert.Equal(
            ["Deleted", "Succeeded", "Succeeded", "Succeeded"],
            (await _store.AskAsync<string>($"""
                SELECT j.statename FROM scheduler."Tasks" AS t JOIN hangfire.job AS j ON j.id::text = t."JobId"
                WHERE t."Id" IN ('{toDelete}', '{string.Join("', '", done)}')
                """)).Order());
    }

    /// <summary>Emptied tables are not noticed at once.</summary>
    private async Task<bool> AreAllShownAsync() => await _store.AskAsync<long>("""
        SELECT count(*) FROM scheduler."Tasks" AS t
        WHERE NOT t."IsShown" OR NOT EXISTS (SELECT FROM hangfire.job AS j WHERE j.id::text = t."JobId")
        """) is [0];

    private static async Task<T> SoonAsync<T>(Func<Task<T>> ask)
    {
        var asked = Stopwatch.GetTimestamp();
        var answer = await ask();
        Assert.InRange(Stopwatch.GetElapsedTime(asked), TimeSpan.Zero, MaxAnswer);
        return answer;
    }

    /// <summary>A program that took a lock; a frozen one in a transaction that lasts until the connection is closed.</summary>
    private async Task<NpgsqlConnection> HoldAsync(string hold, bool frozen)
    {
        var holder = await _store.Server.OpenAsync(_store.Database);
        if (frozen)
            await holder.BeginTransactionAsync(Cancel);
        await holder.ExecuteAsync(hold);
        return holder;
    }
}
