using TaskScheduler.Jobs.Tasks;
using static TaskScheduler.Jobs.Tasks.ScheduledTaskState;

namespace TaskScheduler.Tests.Jobs.Tasks;

public sealed class TaskTransitionsTests
{
    [Fact]
    public void EveryTransitionIsInTheTable() =>
        Assert.Equal(Enum.GetValues<TaskTransition>(), TaskTransitions.Table.Keys.Order());

    [Theory]
    [InlineData(TaskTransition.Claim, Running, new[] { Pending })]
    [InlineData(TaskTransition.TakeOver, Running, new[] { Running })]
    [InlineData(TaskTransition.Complete, Completed, new[] { Running })]
    [InlineData(TaskTransition.GiveBack, Pending, new[] { Running })]
    [InlineData(TaskTransition.Retry, Pending, new[] { Running })]
    [InlineData(TaskTransition.Fail, Failed, new[] { Running })]
    [InlineData(TaskTransition.Expire, Expired, new[] { Pending })]
    [InlineData(TaskTransition.Requeue, Pending, new[] { Failed })]
    [InlineData(TaskTransition.Delete, Deleted, new[] { Pending, Running, Completed, Failed, Expired })]
    public void TransitionLeadsFromTheseStatesToThatOne(
        TaskTransition transition, ScheduledTaskState target, ScheduledTaskState[] from)
    {
        Assert.Equal(target, transition.Target());
        Assert.Equal(from, Enum.GetValues<ScheduledTaskState>().Where(state => TaskTransitions.Table[transition].From.Contains(state)));
    }

    [Fact]
    public void OnlyADeletionLeavesExpired() => Assert.Equal(
        [TaskTransition.Delete],
        Enum.GetValues<TaskTransition>().Where(transition => TaskTransitions.Table[transition].From.Contains(Expired)));

    [Fact]
    public void NothingLeavesDeleted() =>
        Assert.DoesNotContain(Enum.GetValues<TaskTransition>(), transition => TaskTransitions.Table[transition].From.Contains(Deleted));
}
