using TaskScheduler.Api.Overload;

namespace TaskScheduler.Tests.Api.Overload;

public sealed class RequestSlotsTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task FirstInTheQueueGetsTheNextSlot()
    {
        using var slots = new RequestSlots(count: 1, Timeout.InfiniteTimeSpan);
        var first = await slots.TakeAsync(Cancel);
        var second = slots.TakeAsync(Cancel).AsTask();
        var third = slots.TakeAsync(Cancel).AsTask();
        Assert.False(second.IsCompleted);

        first!.Dispose();

        Assert.NotNull(await second);
        Assert.False(third.IsCompleted);
        (await second)!.Dispose();
        Assert.NotNull(await third);
    }

    [Fact]
    public async Task RequestThatWaitsTooLongGetsNone()
    {
        using var slots = new RequestSlots(count: 1, TimeSpan.FromMilliseconds(1));
        var only = await slots.TakeAsync(Cancel);

        Assert.Null(await slots.TakeAsync(Cancel));

        only!.Dispose();
        Assert.NotNull(await slots.TakeAsync(Cancel));
    }

    [Fact]
    public async Task MoreThanCanWaitGetNoneAtOnce()
    {
        using var slots = new RequestSlots(count: 1, Timeout.InfiniteTimeSpan);
        using var gone = new CancellationTokenSource();
        await slots.TakeAsync(Cancel);
        var waiting = Enumerable.Range(0, RequestSlots.MaxWaiting).Select(_ => slots.TakeAsync(gone.Token).AsTask()).ToList();

        var next = slots.TakeAsync(Cancel);

        Assert.True(next.IsCompleted);
        Assert.Null(await next);
        Assert.DoesNotContain(waiting, one => one.IsCompleted);
        await gone.CancelAsync();
        await Task.WhenAll(waiting.Select(one => Assert.ThrowsAnyAsync<OperationCanceledException>(() => one)));
    }

    [Fact]
    public async Task RequestThatIsGoneLeavesTheQueue()
    {
        using var slots = new RequestSlots(count: 1, Timeout.InfiniteTimeSpan);
        using var gone = new CancellationTokenSource();
        var first = await slots.TakeAsync(Cancel);
        var second = slots.TakeAsync(gone.Token).AsTask();
        var third = slots.TakeAsync(Cancel).AsTask();

        await gone.CancelAsync();
        first!.Dispose();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        Assert.NotNull(await third);
    }
}
