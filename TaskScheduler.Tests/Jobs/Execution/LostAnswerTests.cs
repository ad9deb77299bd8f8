using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Execution;

/// <summary>The whole application, whose connection breaks after a commit and before its answer.</summary>
public abstract class LostAnswerTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private readonly LostAnswer _answer = new();
    private readonly WorkByHand _work = new(TimeProvider.System);
    private TestApplication _app = null!;

    public async ValueTask InitializeAsync() =>
        _app = await TestApplication.StartAsync<TStore>(
            services => services.AddSingleton<IInterceptor>(_answer).AddSingleton(_work.Work));

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public async Task TaskWhoseClaimWasNotAnsweredIsStartedOnce()
    {
        _answer.LoseNext(_app.Get<StoreSql>().Claim);

        var task = await StartAsync();

        Assert.True(_answer.IsLost);
        await FinishesOnceAsync(task);
    }

    [Fact]
    public async Task OutputWhoseCommitWasNotAnsweredIsPrintedOnce()
    {
        var task = await StartAsync();
        _answer.LoseNext(_app.Get<StoreSql>().Complete);

        await FinishesOnceAsync(task);

        Assert.True(_answer.IsLost);
    }

    [Fact]
    public async Task TaskDeletedWhileTheAnswerToItsCommitWasLostIsPrintedOnce()
    {
        var task = await StartAsync();
        _answer.LoseNext(_app.Get<StoreSql>().Complete);
        _work.Finish(task.Id);
        await Eventually.TrueAsync(() => _answer.IsLost, "the answer is lost");

        await _app.Get<TaskClient>().DeleteAsync(task.Id, TestContext.Current.CancellationToken);

        await Eventually.TrueAsync(() => _app.Output.Lines.Count > 0, "the line is printed");
        Assert.Equal([$"Fizz {task.Id}"], _app.Output.Lines);
        var row = await _app.FindAsync(task.Id);
        Assert.Equal((ScheduledTaskState.Deleted, $"Fizz {task.Id}"), (row.State, row.Output));
    }

    private async Task<ScheduledTask> StartAsync()
    {
        var task = await _app.CreateAsync(TaskKind.Fizz, TimeProvider.System.GetUtcNow());
        await Eventually.TrueAsync(() => _work.CountStarts(task.Id) > 0, "the task starts");
        return task;
    }

    private async Task FinishesOnceAsync(ScheduledTask task)
    {
        _work.Finish(task.Id);
        await Eventually.TrueAsync(() => _app.Output.Lines.Count > 0, "the line is printed");
        // Whatever is done again comes before what comes after it.
        var next = await StartAsync();
        _work.Finish(next.Id);
        await Eventually.TrueAsync(() => _app.Output.Lines.Contains($"Fizz {next.Id}"), "the next line is printed");

        Assert.Equal([$"Fizz {task.Id}", $"Fizz {next.Id}"], _app.Output.Lines);
        var row = await _app.FindAsync(task.Id);
        Assert.Equal((ScheduledTaskState.Completed, 1), (row.State, row.Attempt));
        Assert.Equal(1, _work.CountStarts(task.Id));
    }
}
