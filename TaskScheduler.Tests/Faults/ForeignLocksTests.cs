using System.Diagnostics;
using System.Net;
using Npgsql;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>
/// Hangfire's locks in the hands of somebody who is gone or frozen, for as long as the test goes on: no due task and no
/// request waits for them.
/// </summary>
[Collection(HeavyLoad.Name)]
public sealed class ForeignLocksTests : IAsyncLifetime
{
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(2.5);

    private const string SchedulersLock = "hangfire:locks:schedulepoller";

    private const string Waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";

    private const string AllRows = "SELECT FROM scheduler.\"Tasks\" FOR UPDATE";

    private readonly PostgreSqlTestStore _store = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _store.CreateAsync();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    /// <summary>The expiration manager's goes without the schema's name; the aggregator of counters takes none.</summary>
    [Theory]
    [InlineData(SchedulersLock, false)]
    [InlineData(SchedulersLock, true)]
    [InlineData("locks:expirationmanager", false)]
    [InlineData("locks:expirationmanager", true)]
    [InlineData("hangfire:job:{job}:state-lock", false)]
    [InlineData("hangfire:job:{job}:state-lock", true)]
    public Task NobodyWaitsForALock(string resource, bool frozen) => NobodyWaitsForAsync(
        "INSERT INTO hangfire.lock (resource, acquired) SELECT replace(@resource, '{job}', job), now() FROM unnest(@jobs) AS job "
        + "ON CONFLICT (resource) DO UPDATE SET acquired = excluded.acquired",
        frozen,
        resource);

    [Fact]
    public Task NobodyWaitsForAJobThatAFrozenTransactionHolds() =>
        NobodyWaitsForAsync("SELECT FROM hangfire.job WHERE id::text = ANY (@jobs) AND @resource IS NULL FOR UPDATE", frozen: true);

    /// <summary>Whoever may not start the one task has its slot for the others, and starts the one when it may.</summary>
    [Fact]
    public async Task NoOtherTaskWaitsForATaskThatAFrozenTransactionHolds()
    {
        await using var instance = await InstanceProcess.StartOnAsync(_store, "--Worker:Count=1");
        var due = TimeProvider.System.GetUtcNow().AddSeconds(4);
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

    private async Task NobodyWaitsForAsync(string hold, bool frozen, string? resource = null)
    {
        // A short look-ahead, so that the tasks are still with Hangfire's scheduler when the lock is taken.
        await using var instance = await InstanceProcess.StartOnAsync(_store, "--Execution:LookAhead=00:00:02");
        var due = TimeProvider.System.GetUtcNow().AddSeconds(4);
        var toRun = await instance.CreateAsync("Fizz", due);
        var toDelete = await instance.CreateAsync("Fizz", due);
        var jobs = await _store.AskAsync<string>("SELECT \"JobId\" FROM scheduler.\"Tasks\" ORDER BY \"Sequence\"");
        // A resource that names no job is one lock.
        var named = resource?.Contains("{job}", StringComparison.Ordinal) == false ? jobs.Take(1) : jobs;
        await using var holder = await HoldAsync(
            hold,
            frozen,
            new NpgsqlParameter<string[]>("jobs", [.. named]),
            new NpgsqlParameter<string?>("resource", resource));

        var asked = Stopwatch.GetTimestamp();
        using (var deleted = await instance.Client.DeleteAsync($"/tasks/{toDelete}", Cancel))
            Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.InRange(Stopwatch.GetElapsedTime(asked), TimeSpan.Zero, LongestAnswer);
        asked = Stopwatch.GetTimestamp();
        using (var list = await instance.Client.GetAsync("/tasks?state=Pending", Cancel))
            Assert.Equal(HttpStatusCode.OK, list.StatusCode);
        Assert.InRange(Stopwatch.GetElapsedTime(asked), TimeSpan.Zero, LongestAnswer);
        var posted = await instance.CreateAsync("Fizz", TimeProvider.System.GetUtcNow());

        var heldUp = 0L;
        await Eventually.TrueAsync(
            async () =>
            {
                heldUp = Math.Max(heldUp, (await _store.AskAsync<long>(Waiting))[0]);
                return instance.Output.Count == 2;
            },
            "both tasks are done while the lock is held");
        // Hangfire takes the other locks once in half an hour, or when somebody clicks on a job.
        if (frozen && (resource is null or SchedulersLock))
            Assert.NotEqual(0, heldUp);
        Assert.Equal(
            ((string[])[$"Fizz {toRun}", $"Fizz {posted}"]).Order(), instance.Output.Select(line => line.Text).Order());
        var late = await _store.AskAsync<TimeSpan>(
            "SELECT \"StartedAt\" - \"ExecuteAt\" FROM scheduler.\"Tasks\" WHERE \"State\" = 'Completed'");
        Assert.All(late, lateness => Assert.InRange(lateness, TimeSpan.Zero, TimeSpan.FromSeconds(10)));
    }

    /// <summary>Somebody who took a lock; a frozen one in a transaction that lasts until the connection is closed.</summary>
    private async Task<NpgsqlConnection> HoldAsync(string hold, bool frozen, params NpgsqlParameter[] parameters)
    {
        var holder = new NpgsqlConnection(_store.Server.ConnectionString(_store.Database) + ";Pooling=false");
        await holder.OpenAsync(Cancel);
        if (frozen)
            await holder.BeginTransactionAsync(Cancel);
        await using var command = new NpgsqlCommand(hold, holder);
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync(Cancel);
        return holder;
    }
}
