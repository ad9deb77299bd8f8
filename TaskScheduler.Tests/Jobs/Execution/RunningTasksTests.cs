using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Jobs.Execution;

public sealed class RunningTasksTests
{
    private readonly RunningTasks _running = new(slots: 2, TimeProvider.System);

    [Fact]
    public async Task SlotIsTakenByAnAttemptAndFreedByItsEnd()
    {
        var attempt = _running.Add(Claimed());
        _running.Add(Claimed());
        Assert.Equal(0, _running.Free);
        var waiting = _running.WaitForSlotAsync(TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);

        _running.Remove(attempt);

        await waiting;
        Assert.Equal((1, 1), (_running.Free, _running.Count));
    }

    [Fact]
    public async Task WaitForAllEndsWithTheLastAttempt()
    {
        var attempt = _running.Add(Claimed());
        var waiting = _running.WaitForAllAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);

        _running.Remove(attempt);

        await waiting;
    }

    [Fact]
    public void ReplacedAttemptIsStoppedAndItsEndLeavesItsSuccessorRunning()
    {
        var task = Claimed();
        var replaced = _running.Add(task);
        var successor = _running.Add(task);

        Assert.True(replaced.Stopped.IsCancellationRequested);
        _running.Remove(replaced);

        Assert.False(successor.Stopped.IsCancellationRequested);
        Assert.Equal([successor], _running.All);
        Assert.True(_running.Contains(task.Id));
        Assert.Equal(1, _running.Free);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void StoppedAttemptKnowsWhetherItIsToBeGivenBack(bool giveBack)
    {
        var attempt = new RunningTask(Claimed());

        attempt.Stop(giveBack);

        Assert.True(attempt.Stopped.IsCancellationRequested);
        Assert.Equal(giveBack, attempt.ToGiveBack);
    }

    private static ScheduledTask Claimed() => ScheduledTask.Create(TaskKind.Fizz, default, default, Guid.NewGuid());
}
