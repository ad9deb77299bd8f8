using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Jobs.Execution;

public sealed class RunningTasksTests
{
    private readonly RunningTasks _running = new(slots: 2);

    [Fact]
    public void SlotIsTakenBeforeTheClaimAndFreedByTheEndOfTheAttempt()
    {
        _running.TakeSlots(2);
        Assert.Equal(0, _running.Free);
        var attempt = _running.Add(Claimed());

        _running.Remove(attempt);

        Assert.Equal((1, 0), (_running.Free, _running.Count));
    }

    [Fact]
    public void SlotsOfRefusedClaimsAreFreeAgain()
    {
        _running.TakeSlots(2);

        _running.FreeSlots(2);

        Assert.Equal(2, _running.Free);
    }

    [Fact]
    public void ReplacedAttemptIsStoppedAndItsEndLeavesItsSuccessorRunning()
    {
        var task = Claimed();
        _running.TakeSlots(2);
        var replaced = _running.Add(task);
        var successor = _running.Add(task with { Attempt = 2 });

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
        using var attempt = new RunningTask(Claimed());

        attempt.Stop(giveBack);

        Assert.True(attempt.Stopped.IsCancellationRequested);
        Assert.Equal(giveBack, attempt.ToGiveBack);
    }

    [Fact]
    public void StopOfAnAttemptThatEndedDoesNothing()
    {
        var attempt = new RunningTask(Claimed());
        attempt.Dispose();

        attempt.Stop(giveBack: true);

        Assert.False(attempt.ToGiveBack);
    }

    private static ClaimedTask Claimed()
    {
        var id = Guid.NewGuid();
        var delivery = new Delivery($"{id}", id, TaskKind.Fizz, default, 1, default, Rescued: false);
        return new ClaimedTask(delivery, Attempt: 1, Tries: 0, default, Guid.NewGuid());
    }
}
