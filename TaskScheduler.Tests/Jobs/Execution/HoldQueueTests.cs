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

        Assert.Equal([first, second, third], _holds.TakeReady(Now, 10));
    }

    [Fact]
    public void RescuedTasksComeFirst()
    {
        var overdue = Hold(Now.AddDays(-1));
        var rescued = Hold(Now.AddSeconds(-1), rescued: true);

        Assert.Equal([rescued, overdue], _holds.TakeReady(Now, 10));
    }

    /// <summary>Whichever of the deliveries stays: a job that shows that it is held here is given back at a stop.</summary>
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void TaskIsShownIfOneOfItsDeliveriesIs(bool first, bool second)
    {
        var held = Hold(Now) with { IsShown = first };
        _holds.TakeAll();
        _holds.Add(held);
        _holds.Add(held with { IsShown = second });

        Assert.True(Assert.Single(_holds.TakeAll()).IsShown);
    }

    [Fact]
    public void NothingIsTakenOneMillisecondEarly()
    {
        var held = Hold(Now);

        Assert.Empty(_holds.TakeReady(Now.AddMilliseconds(-1), 10));
        Assert.Equal([held], _holds.TakeReady(Now, 10));
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

        Assert.Equal(taken, _holds.TakeReady(Now, slots).Count);
        Assert.Equal(3 - taken, _holds.Count);
    }

    [Fact]
    public void OnlyWhatMayBeClaimedIsCountedAsReady()
    {
        Hold(Now);
        Hold(Now.AddMilliseconds(1));
        Hold(Now.AddDays(-1), rescued: true);
        _holds.Add(Hold(Now.AddSeconds(-1)).Refused(1, Now));

        Assert.Equal((2, 3), (_holds.CountReady(Now), _holds.CountDue(Now)));
    }

    [Fact]
    public void NextReadyIsTheEarliestAndARescuedTaskIsDueAtOnce()
    {
        Assert.Null(_holds.NextReady);
        Hold(Now.AddSeconds(2));
        Hold(Now.AddSeconds(1));
        Assert.Equal(Now.AddSeconds(1), _holds.NextReady);

        Hold(Now.AddSeconds(3), rescued: true);

        Assert.True(_holds.NextReady <= Now);
    }

    [Fact]
    public void SameDeliveryTwiceIsHeldOnce()
    {
        var held = Hold(Now);

        _holds.Add(held with { });

        Assert.Equal([held], _holds.TakeReady(Now, 10));
        Assert.False(_holds.Contains(held.TaskId, held.DueAt));
    }

    [Fact]
    public void TaskHeldThroughTwoJobsIsKnownUntilBothAreTaken()
    {
        var first = Hold(Now);
        _holds.Add(first with { JobId = "another" });

        _holds.TakeReady(Now, 1);
        Assert.True(_holds.Contains(first.TaskId, first.DueAt));

        _holds.TakeReady(Now, 1);
        Assert.False(_holds.Contains(first.TaskId, first.DueAt));
    }

    [Theory]
    [InlineData(1, 4)]
    [InlineData(2, 8)]
    [InlineData(10, 2_048)]
    [InlineData(11, 4_000)]
    [InlineData(1_000_000, 4_000)]
    public void RefusedClaimPausesTwiceAsLongEachTimeAndAtMostFourSeconds(int refusals, int pause)
    {
        var refused = Hold(Now.AddHours(-1));
        Assert.Equal([refused], _holds.TakeReady(Now, 1));
        refused = refused.Refused(refusals, Now);
        _holds.Add(refused);

        Assert.Equal(Now.AddMilliseconds(pause), _holds.NextReady);
        Assert.Empty(_holds.TakeReady(Now.AddMilliseconds(pause - 1), 1));
        Assert.Equal([refused], _holds.TakeReady(Now.AddMilliseconds(pause), 1));
    }

    [Fact]
    public void RefusedClaimsComeAfterWhatBecameDueDuringTheirPause()
    {
        var refused = Hold(Now.AddSeconds(-2)).Refused(1, Now);
        var rescued = Hold(Now.AddSeconds(-1), rescued: true).Refused(2, Now);
        Assert.Equal(2, _holds.TakeReady(Now, 2).Count);
        _holds.Add(refused);
        _holds.Add(rescued);
        var waiting = Hold(Now);
        var dueMeanwhile = Hold(Now.AddMilliseconds(2));
        var dueLater = Hold(Now.AddMilliseconds(6));

        Assert.Equal([waiting, dueMeanwhile, refused, dueLater, rescued], _holds.TakeReady(Now.AddSeconds(1), 10));
    }

    [Fact]
    public void DeliveryDoesNotEndThePauseOfARefusedClaim()
    {
        var delivery = Hold(Now);
        _holds.TakeReady(Now, 1);
        var refused = delivery.Refused(1, Now);
        _holds.Add(refused);
        _holds.Add(delivery);

        Assert.Empty(_holds.TakeReady(Now, 1));
        Assert.Equal([refused], _holds.TakeReady(Now.AddSeconds(1), 2));
        Assert.Equal((0, false), (_holds.Count, _holds.Contains(delivery.TaskId, delivery.DueAt)));
    }

    [Fact]
    public void RefusalReplacesADeliveryThatCameDuringTheClaim()
    {
        var delivery = Hold(Now);
        _holds.TakeReady(Now, 1);
        _holds.Add(delivery);
        var refused = delivery.Refused(1, Now);
        _holds.Add(refused);

        Assert.Equal((1, refused.ReadyAt), (_holds.Count, _holds.NextReady));
    }

    [Fact]
    public void OfTwoRunsOfAJobTheOneThatMayBeClaimedFirstIsHeld()
    {
        var earlier = Hold(Now.AddSeconds(1));
        Delivery Another(DateTimeOffset dueAt, bool rescued) =>
            new(earlier.JobId, earlier.TaskId, earlier.Kind, dueAt, earlier.Sequence, earlier.CreatedAt, rescued);

        _holds.Add(Another(Now.AddSeconds(2), rescued: false));
        Assert.Equal((1, Now.AddSeconds(1)), (_holds.Count, _holds.NextReady));

        var rescued = Another(earlier.DueAt, rescued: true);
        _holds.Add(rescued);
        Assert.Equal([rescued], _holds.TakeAll());
    }

    [Fact]
    public void TakingAllLeavesNothing()
    {
        Delivery[] held = [Hold(Now), Hold(Now.AddDays(1)), Hold(Now)];

        Assert.Equivalent(held, _holds.TakeAll(), strict: true);
        Assert.Equal((0, null), (_holds.Count, _holds.NextReady));
        Assert.DoesNotContain(held, delivery => _holds.Contains(delivery.TaskId, delivery.DueAt));
    }

    private Delivery Hold(DateTimeOffset dueAt, long? sequence = null, bool rescued = false)
    {
        var id = Guid.NewGuid();
        var delivery = new Delivery($"{id}", id, TaskKind.Fizz, dueAt, sequence ?? _holds.Count, dueAt, rescued);
        _holds.Add(delivery);
        return delivery;
    }
}
