using Microsoft.Extensions.Options;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Execution;

public abstract class TaskCompleterTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private JobsAtRest _jobs = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _jobs = await JobsAtRest.OpenAsync<TStore>();

    public ValueTask DisposeAsync() => _jobs.DisposeAsync();

    [Fact]
    public async Task CompletionCommitsTheOutputAndPrintsIt()
    {
        var claimed = Assert.Single(await _jobs.ClaimAsync(await _jobs.CreateAsync()));
        _jobs.Clock.Advance(TimeSpan.FromSeconds(3));

        await _jobs.CompleteAsync(claimed);

        var row = await _jobs.FindAsync(claimed.Id);
        Assert.Equal((ScheduledTaskState.Completed, $"Fizz {claimed.Id}"), (row.State, row.Output));
        Assert.Equal(claimed.StartedAt?.AddSeconds(3), row.FinishedAt);
        await AssertPrintedAsync(claimed.Id);
    }

    [Fact]
    public async Task SecondCompletionOfTheSameAttemptPrintsNothing()
    {
        var claimed = Assert.Single(await _jobs.ClaimAsync(await _jobs.CreateAsync()));

        await _jobs.CompleteAsync(claimed);
        await _jobs.CompleteAsync(claimed);

        await AssertPrintedAsync(claimed.Id);
    }

    [Fact]
    public async Task DeletedTaskIsNeverPrinted()
    {
        var claimed = Assert.Single(await _jobs.ClaimAsync(await _jobs.CreateAsync()));
        await _jobs.Get<TaskClient>().DeleteAsync(claimed.Id, Cancel);

        await _jobs.CompleteAsync(claimed);

        Assert.Null((await _jobs.FindAsync(claimed.Id)).Output);
        await AssertPrintedAsync();
    }

    [Fact]
    public async Task OutputOfATaskDeletedAfterItsCompletionIsKept()
    {
        var claimed = Assert.Single(await _jobs.ClaimAsync(await _jobs.CreateAsync()));
        await _jobs.CompleteAsync(claimed);

        await _jobs.Get<TaskClient>().DeleteAsync(claimed.Id, Cancel);

        var row = await _jobs.FindAsync(claimed.Id);
        Assert.Equal((ScheduledTaskState.Deleted, $"Fizz {claimed.Id}"), (row.State, row.Output));
    }

    [Fact]
    public async Task StaleAttemptCanNeitherCompleteNorFailNorGiveBack()
    {
        var task = await _jobs.CreateAsync();
        var stale = Assert.Single(await _jobs.ClaimAsync(task));
        await using var successor = await TakeOverAsync(task);
        var before = await _jobs.ColumnsAsync(task.Id);

        await _jobs.CompleteAsync(stale);
        await _jobs.FailAsync(stale, "Full");
        await _jobs.GiveBackAsync(stale);

        Assert.Equal(before, await _jobs.ColumnsAsync(task.Id));
        await AssertPrintedAsync();
    }

    [Fact]
    public async Task AttemptsOfOneTaskThatEndTogetherPrintOnce()
    {
        var task = await _jobs.CreateAsync();
        var stale = Assert.Single(await _jobs.ClaimAsync(task));
        await _jobs.GiveBackAsync(stale);
        var latest = Assert.Single(await _jobs.ClaimAsync(task));

        await _jobs.CompleteAsync(stale, latest);

        await AssertPrintedAsync(task.Id);
    }

    [Fact]
    public async Task StaleAttemptDoesNotPrintWhatItsSuccessorCommitted()
    {
        var task = await _jobs.CreateAsync();
        var stale = Assert.Single(await _jobs.ClaimAsync(task));
        await using var successor = await TakeOverAsync(task);
        await successor.CompleteAsync(await _jobs.FindAsync(task.Id));

        await _jobs.CompleteAsync(stale);

        await AssertPrintedAsync();
    }

    [Fact]
    public async Task FailedTryIsRetriedAfterABackOffThatGrowsToAMinute()
    {
        await using var patient = await JobsAtRest.OpenAsync<TStore>(null, "--Execution:MaxTries=100");
        var task = await patient.CreateAsync();
        var waits = new List<double>();
        for (var tries = 0; tries < 8; tries++)
        {
            var claimed = Assert.Single(await patient.ClaimAsync(task));
            await patient.FailAsync(claimed, "Full");
            task = await patient.FindAsync(task.Id);
            waits.Add((task.DueAt - patient.Now).TotalSeconds);
            patient.Clock.SetUtcNow(task.DueAt);
        }

        Assert.Equal([2, 4, 8, 16, 32, 60, 60, 60], waits);
    }

    [Fact]
    public async Task BackOffDoesNotChangeTheTimeThatTheClientAskedFor()
    {
        var task = await _jobs.CreateAsync();
        await _jobs.FailAsync(Assert.Single(await _jobs.ClaimAsync(task)), "Full");

        Assert.Equal(task.ExecuteAt, (await _jobs.FindAsync(task.Id)).ExecuteAt);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task TaskFailsWithItsErrorOnceItsTriesAreUsedUp(int maxTries)
    {
        await using var jobs = await JobsAtRest.OpenAsync<TStore>(null, $"--Execution:MaxTries={maxTries}");
        var task = await jobs.CreateAsync();
        for (var tries = 0; tries < maxTries; tries++)
        {
            Assert.Equal(ScheduledTaskState.Pending, task.State);
            var claimed = Assert.Single(await jobs.ClaimAsync(task));
            await jobs.FailAsync(claimed, $"Full {tries + 1}");
            task = await jobs.FindAsync(task.Id);
            jobs.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal((ScheduledTaskState.Failed, $"IOException: Full {maxTries}"), (task.State, task.Error));
    }

    [Fact]
    public async Task CompletionClearsTheErrorOfAnEarlierTry()
    {
        var task = await _jobs.CreateAsync();
        await _jobs.FailAsync(Assert.Single(await _jobs.ClaimAsync(task)), "Full");
        _jobs.Clock.Advance(TimeSpan.FromMinutes(1));

        await _jobs.CompleteAsync(Assert.Single(await _jobs.ClaimAsync(task)));

        Assert.Null((await _jobs.FindAsync(task.Id)).Error);
    }

    [Fact]
    public async Task LongErrorIsCut()
    {
        var claimed = Assert.Single(await _jobs.ClaimAsync(await _jobs.CreateAsync()));

        await _jobs.FailAsync(claimed, new string('x', 10_000));

        Assert.Equal(2_048, (await _jobs.FindAsync(claimed.Id)).Error?.Length);
    }

    [Fact]
    public async Task GivingBackIsNoTryAndLosesNoTime()
    {
        var task = await _jobs.CreateAsync();
        var claimed = Assert.Single(await _jobs.ClaimAsync(task));

        await _jobs.GiveBackAsync(claimed);

        var row = await _jobs.FindAsync(task.Id);
        Assert.Equal((0, task.DueAt), (row.Tries, row.DueAt));
        Assert.Equal(2, Assert.Single(await _jobs.ClaimAsync(task)).Attempt);
    }

    private async Task<JobsAtRest> TakeOverAsync(ScheduledTask task)
    {
        var successor = _jobs.Another();
        _jobs.Clock.Advance(_jobs.Get<IOptions<ExecutionOptions>>().Value.Lease);
        Assert.Single(await successor.TakeOverAsync(task));
        return successor;
    }

    /// <summary>Closes the console, so that whatever was printed is there, and compares.</summary>
    private async Task AssertPrintedAsync(params Guid[] ids)
    {
        await _jobs.Get<ConsoleOutput>().DisposeAsync();
        Assert.Equal(ids.Select(id => $"Fizz {id}").Order(), _jobs.Output.Lines.Order());
    }
}
