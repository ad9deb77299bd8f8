using Microsoft.Extensions.Time.Testing;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Jobs.Execution;

public sealed class PausingWorkTests
{
    private readonly FakeTimeProvider _clock = new();

    [Theory]
    [InlineData(TaskKind.Fizz)]
    [InlineData(TaskKind.Buzz)]
    [InlineData(TaskKind.FizzBuzz)]
    public async Task WorkEndsAfterItsPauseAndNotATickEarlier(TaskKind kind)
    {
        var id = Guid.NewGuid();
        var work = PausingWork.On(_clock)(kind, id, TestContext.Current.CancellationToken);
        _clock.Advance(kind.Definition().Pause - TimeSpan.FromTicks(1));
        Assert.False(work.IsCompleted);

        _clock.Advance(TimeSpan.FromTicks(1));

        Assert.Equal(kind.Definition().OutputOf(id), await work);
    }

    [Fact]
    public async Task TimerThatFiresEarlyDoesNotEndThePause()
    {
        var hasty = new HastyClock(_clock);
        var work = PausingWork.On(hasty)(TaskKind.Fizz, Guid.NewGuid(), TestContext.Current.CancellationToken);

        _clock.Advance(TimeSpan.FromSeconds(3) - TimeSpan.FromMilliseconds(2));
        Assert.False(work.IsCompleted);

        _clock.Advance(TimeSpan.FromMilliseconds(2));
        await work;
    }

    [Fact]
    public async Task StopEndsThePause()
    {
        using var stop = new CancellationTokenSource();
        var work = PausingWork.On(_clock)(TaskKind.FizzBuzz, Guid.NewGuid(), stop.Token);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work);
    }

    /// <summary>Its timers fire up to two milliseconds before their time, as real ones may.</summary>
    private sealed class HastyClock(TimeProvider clock) : TimeProvider
    {
        public override long TimestampFrequency => clock.TimestampFrequency;

        public override long GetTimestamp() => clock.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            clock.CreateTimer(callback, state, TimeSpan.FromTicks(Math.Max(dueTime.Ticks - 20_000, 1)), period);
    }
}
