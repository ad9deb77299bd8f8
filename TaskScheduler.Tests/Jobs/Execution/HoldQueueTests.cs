using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Jobs.Execution;

public sealed class HoldQueueTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddYears(60);
    private readonly HoldQueue _holds = new();

    [Fact]
    public void DueTasksComeInOrderOfDueTimeThenOfCreation()
    {
        var second = Hold(Now.AddSeconds(-1), sequence: 2);
        var third = Hold(Now.AddSeconds(-1), sequence: 3);
        var first = Hold(Now.AddSeconds(-2), sequence: 4);

        Assert.Equal([first, second, third], _holds.TakeDue(Now, 10));
    }

    [Fact]
    public void RescuedTasksComeFirst()
    {
        var overdue = Hold(Now.AddDays(-1));
        var rescued = Hold(Now.AddSeconds(-1), rescued: true);

        Assert.Equal([rescued, overdue], _holds.TakeDue(Now, 10));
    }

    [Fact]
    public void NothingIsTakenOneMillisecondEarly()
    {
        var held = Hold(Now);

        Assert.Empty(_holds.TakeDue(Now.AddMilliseconds(-1), 10));
        Assert.Equal([held], _holds.TakeDue(Now, 10));
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0, 0)]
    [InlineData(2, 2)]
    [InlineData(4, 3)]
    public void NoMoreIsTakenThanThereAreSlots(int slots, int taken)
    {
        for (var i = 0; i < 3; i++)
            Hold(Now);

        Assert.Equal(taken, _holds.TakeDue(Now, slots).Count);
        Assert.Equal(3 - taken, _holds.Count);
    }

    [Fact]
    public void OnlyWhatIsDueIsCountedAsDue()
    {
        Hold(Now);
        Hold(Now.AddMilliseconds(1));
        Hold(Now.AddDays(1), rescued: true);

        Assert.Equal(2, _holds.CountDue(Now));
    }

    [Fact]
    public void NextDueIsTheEarliestAndARescuedTaskIsDueAtOnce()
    {
        Assert.Null(_holds.NextDue);
        Hold(Now.AddSeconds(2));
        Hold(Now.AddSeconds(1));
        Assert.Equal(Now.AddSeconds(1), _holds.NextDue);

        Hold(Now.AddSeconds(3), rescued: true);

        Assert.True(_holds.NextDue <= Now);
    }

    [Fact]
    public void SameDeliveryTwiceIsHeldOnce()
    {
        var held = Hold(Now);

        _holds.Add(held with { });

        Assert.Equal([held], _holds.TakeDue(Now, 10));
        Assert.False(_holds.Contains(held.TaskId));
    }

    [Fact]
    public void TaskHeldThroughTwoJobsIsKnownUntilBothAreTaken()
    {
        var first = Hold(Now);
        _holds.Add(first with { JobId = "another", DueAt = Now.AddSeconds(1) });

        _holds.TakeDue(Now, 1);
        Assert.True(_holds.Contains(first.TaskId));

        _holds.TakeDue(Now.AddSeconds(1), 1);
        Assert.False(_holds.Contains(first.TaskId));
    }

    [Fact]
    public void WhoStandsAsideKeepsNoSlotFromTheOthersAndHasItsPlaceAgain()
    {
        var first = Hold(Now.AddSeconds(-2));
        var second = Hold(Now.AddSeconds(-1));
        Assert.Equal([first], _holds.TakeDue(Now, 1));
        _holds.AddAside(first, Now.AddSeconds(1));

        Assert.Equal((2, 1, 1, true), (_holds.Count, _holds.CountAside, _holds.CountDue(Now), _holds.Contains(first.TaskId)));
        Assert.Equal([second], _holds.TakeDue(Now, 1));
        Assert.Equal(Now.AddSeconds(1), _holds.NextDue);
        Assert.Empty(_holds.TakeDue(Now.AddMilliseconds(999), 1));

        var third = Hold(Now);

        Assert.Equal([first, third], _holds.TakeDue(Now.AddSeconds(1), 2));
        Assert.Equal((0, 0, false), (_holds.Count, _holds.CountAside, _holds.Contains(first.TaskId)));
    }

    [Fact]
    public void WhoStandsAsideIsHeldOnceWhenDeliveredAgain()
    {
        var delivery = Hold(Now);
        Assert.Equal([delivery], _holds.TakeDue(Now, 1));
        _holds.AddAside(delivery, Now.AddSeconds(1));
        _holds.Add(delivery);

        Assert.Equal([delivery], _holds.TakeDue(Now.AddSeconds(1), 2));
        Assert.False(_holds.Contains(delivery.TaskId));
    }

    [Fact]
    public void TakingAllLeavesNothing()
    {
        Delivery[] held = [Hold(Now), Hold(Now.AddDays(1)), Hold(Now)];
        Assert.Equal([held[0]], _holds.TakeDue(Now, 1));
        _holds.AddAside(held[0], Now.AddSeconds(1));

        Assert.Equivalent(held, _holds.TakeAll(), strict: true);
        Assert.Equal((0, null), (_holds.Count, _holds.NextDue));
        Assert.DoesNotContain(held, delivery => _holds.Contains(delivery.TaskId));
    }

    private Delivery Hold(DateTimeOffset dueAt, long? sequence = null, bool rescued = false)
    {
        var id = Guid.NewGuid();
        var delivery = new Delivery($"{id}", id, TaskKind.Fizz, dueAt, sequence ?? _holds.Count, dueAt, rescued);
        _holds.Add(delivery);
        return delivery;
    }
}
