using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Maintenance;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.PostgreSql;

/// <summary>A task and its job are committed together, and the task alone if Hangfire fails.</summary>
public sealed class OneCommitTests : IAsyncLifetime
{
    private readonly PostgreSqlTestStore _store = new();
    private JobsAtRest _jobs = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _jobs = await JobsAtRest.OpenAsync(_store);

    public async ValueTask DisposeAsync()
    {
        await _jobs.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task TaskAndItsJobAreWrittenByOneTransaction()
    {
        var task = await _jobs.CreateAsync();

        Assert.Equal(
            [true],
            await _store.AskAsync<bool>(
                $"SELECT t.xmin = j.xmin FROM scheduler.\"Tasks\" t, hangfire.job j WHERE j.id = {task.JobId}"));
    }

    [Fact]
    public async Task RefusedTaskLeavesNoJob()
    {
        await RefuseInsertsIntoAsync("scheduler.\"Tasks\"");

        await Assert.ThrowsAsync<DbUpdateException>(() => _jobs.CreateAsync());

        Assert.Equal([0L], await _store.AskAsync<long>("SELECT count(*) FROM hangfire.job"));
        Assert.Equal([0L], await _store.AskAsync<long>("SELECT count(*) FROM scheduler.\"JobQueue\""));
    }

    [Theory]
    [InlineData("hangfire.job")]
    [InlineData("hangfire.state")]
    [InlineData("scheduler.\"JobQueue\"")]
    public async Task TaskIsAcceptedWithoutAJobWhateverHangfireCannotWrite(string table)
    {
        await RefuseInsertsIntoAsync(table);

        var task = await _jobs.CreateAsync();

        Assert.Null(task.JobId);
        Assert.Null((await _jobs.FindAsync(task.Id)).JobId);
        Assert.Equal([0L], await _store.AskAsync<long>("SELECT count(*) FROM hangfire.job"));
    }

    [Fact]
    public async Task TasksAreAcceptedUnderTheirKeyWithoutJobsToo()
    {
        await RefuseInsertsIntoAsync("hangfire.job");
        NewTask[] request = [new(TaskKind.Fizz, _jobs.Now), new(TaskKind.Buzz, _jobs.Now)];
        var key = IdempotencyKey.Of("web", "a key", "POST /tasks/batch", request);

        var first = await _jobs.Get<TaskCreator>().CreateAsync(request, key, Cancel);
        var second = await _jobs.Get<TaskCreator>().CreateAsync(request, key, Cancel);

        Assert.Equal((CreationOutcome.Created, CreationOutcome.Replayed), (first.Outcome, second.Outcome));
        Assert.Equal(first.Tasks.Select(task => task.Id), second.Tasks.Select(task => task.Id));
        Assert.All(await _jobs.RowsAsync(), row => Assert.Null(row.JobId));
    }

    [Fact]
    public async Task TaskAcceptedWhileHangfiresTablesAreLostRunsOnceTheyAreBack()
    {
        await _store.ExecuteAsync("DROP SCHEMA hangfire CASCADE");
        var task = await _jobs.CreateAsync();

        await using var restarted = await JobsAtRest.OpenAsync(_store);
        restarted.Clock.Advance(TimeSpan.FromSeconds(1));
        await restarted.Get<TaskRescuer>().RunOnceAsync(Cancel);

        Assert.Equal(task.Id, Assert.Single(restarted.Get<HoldQueue>().TakeReady(restarted.Now, 10)).TaskId);
        Assert.Single(await restarted.ClaimAsync(await restarted.FindAsync(task.Id)));
    }

    private Task RefuseInsertsIntoAsync(string table) => _store.ExecuteAsync(
        $"""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'No room'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON {table} EXECUTE FUNCTION refuse();
        """);
}
