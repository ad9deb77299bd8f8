using Microsoft.Extensions.Time.Testing;
using TaskScheduler.Jobs.Execution;

namespace TaskScheduler.Tests.Jobs.Execution;

public sealed class AsyncSignalTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly AsyncSignal _signal;

    public AsyncSignalTests() => _signal = new AsyncSignal(_clock);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SignalEndsTheWait()
    {
        var wait = _signal.WaitAsync(Timeout.InfiniteTimeSpan, Cancel);
        Assert.False(wait.IsCompleted);

        _signal.Set();

        await wait;
    }

    [Fact]
    public async Task SignalGivenWhileNobodyWaitsIsKeptOnce()
    {
        _signal.Set();
        _signal.Set();

        await _signal.WaitAsync(Timeout.InfiniteTimeSpan, Cancel);

        Assert.False(_signal.WaitAsync(Timeout.InfiniteTimeSpan, Cancel).IsCompleted);
    }

    [Fact]
    public async Task WaitEndsAtItsTimeAndNotATickEarlier()
    {
        var wait = _signal.WaitAsync(TimeSpan.FromSeconds(1), Cancel);
        _clock.Advance(TimeSpan.FromSeconds(1) - TimeSpan.FromTicks(1));
        Assert.False(wait.IsCompleted);

        _clock.Advance(TimeSpan.FromTicks(1));

        await wait;
    }

    [Fact]
    public async Task FractionOfAMillisecondIsWaitedForInFull()
    {
        var wait = _signal.WaitAsync(TimeSpan.FromTicks(1), Cancel);
        Assert.False(wait.IsCompleted);

        _clock.Advance(TimeSpan.FromMilliseconds(1));

        await wait;
    }

    [Fact]
    public async Task WaitOfNoTimeKeepsASignalOrUsesIt()
    {
        await _signal.WaitAsync(TimeSpan.Zero, Cancel);

        Assert.False(_signal.WaitAsync(Timeout.InfiniteTimeSpan, Cancel).IsCompleted);
    }

    [Fact]
    public async Task StopEndsTheWaitWithoutAnErrorAndKeepsTheSignal()
    {
        using var stop = new CancellationTokenSource();
        var wait = _signal.WaitAsync(Timeout.InfiniteTimeSpan, stop.Token);

        await stop.CancelAsync();
        await wait;
        _signal.Set();

        await _signal.WaitAsync(Timeout.InfiniteTimeSpan, Cancel);
    }
}
