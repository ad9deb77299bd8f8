using Microsoft.Extensions.Time.Testing;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Execution;

public sealed class TaskAlarmTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _clock = new(JobsAtRest.Start);
    private readonly TaskAlarm _alarm;

    public TaskAlarmTests() => _alarm = new TaskAlarm(_clock);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ItRingsAtItsTimeAndNotBefore()
    {
        _alarm.SetFor(JobsAtRest.Start + Second);
        var waiting = _alarm.WaitAsync(Cancel);
        _clock.Advance(Second - TimeSpan.FromMilliseconds(1));
        Assert.False(_alarm.IsRinging);
        Assert.False(waiting.IsCompleted);

        _clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.True(_alarm.IsRinging);
        await waiting;
    }

    [Fact]
    public async Task NearerTimeEndsTheWaitForALaterOne()
    {
        _alarm.SetFor(JobsAtRest.Start.AddYears(5));
        var waiting = _alarm.WaitAsync(Cancel);

        _alarm.SetFor(JobsAtRest.Start);

        await waiting;
    }

    [Fact]
    public void LaterTimeChangesNothing()
    {
        _alarm.SetFor(JobsAtRest.Start);

        _alarm.SetFor(JobsAtRest.Start + Second);

        Assert.True(_alarm.IsRinging);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(60.0)]
    public async Task LookPutsItOff(double? secondsToNext)
    {
        _alarm.SetFor(JobsAtRest.Start);

        DateTimeOffset[] dueTimes = secondsToNext is { } seconds ? [JobsAtRest.Start.AddSeconds(seconds)] : [];
        await LookAsync(dueTimes);

        Assert.False(_alarm.IsRinging);
    }

    /// <summary>The task was created after the look, whose answer does not have it.</summary>
    [Fact]
    public async Task WhatIsSetDuringALookStays()
    {
        await _alarm.SetByAsync(() =>
        {
            _alarm.SetFor(JobsAtRest.Start);
            return Task.FromResult(Next());
        });

        Assert.True(_alarm.IsRinging);
    }

    [Fact]
    public async Task WhatIsOverdueRingsAtOnce()
    {
        await LookAsync(JobsAtRest.Start.AddDays(-400));

        Assert.True(_alarm.IsRinging);
        await _alarm.WaitAsync(Cancel);
    }

    [Fact]
    public void WhatWasStartedIsForgottenAndWhatFollowsRings()
    {
        _alarm.SetFor(JobsAtRest.Start, JobsAtRest.Start + Second);

        Assert.True(_alarm.Forget([JobsAtRest.Start], _alarm.LastChange));

        Assert.False(_alarm.IsRinging);
        _clock.Advance(Second);
        Assert.True(_alarm.IsRinging);
    }

    /// <summary>The claim may have begun before the other task was committed.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhatWasSetForTheSameTimeDuringTheClaimStays(bool byALook)
    {
        _alarm.SetFor(JobsAtRest.Start, JobsAtRest.Start.AddYears(5));
        var before = _alarm.LastChange;
        if (byALook)
            await LookAsync(JobsAtRest.Start, JobsAtRest.Start.AddYears(5));
        else
            _alarm.SetFor(JobsAtRest.Start);

        Assert.False(_alarm.Forget([JobsAtRest.Start], before));

        Assert.True(_alarm.IsRinging);
    }

    /// <summary>It is the answer of the younger one that has what other instances were given last.</summary>
    [Fact]
    public async Task LookThatEndsAfterAYoungerOneTakesNothingAway()
    {
        await _alarm.SetByAsync(async () =>
        {
            await LookAsync(JobsAtRest.Start);
            return Next();
        });

        Assert.True(_alarm.IsRinging);
    }

    /// <summary>Another instance may have started it, or something else may be due that only the table knows.</summary>
    [Fact]
    public void LookIsNeededWhenSomethingStaysDueOrNothingIsKnown()
    {
        _alarm.SetFor(JobsAtRest.Start, JobsAtRest.Start + Second);

        Assert.False(_alarm.Forget([], _alarm.LastChange));
        Assert.False(_alarm.Forget([JobsAtRest.Start, JobsAtRest.Start + Second], _alarm.LastChange));
    }

    /// <summary>Between the last time that the look told and the later one, others may be due.</summary>
    [Fact]
    public async Task WhatFollowsTheLastOfAFullLookIsLeftToTheNextLook()
    {
        var last = JobsAtRest.Start + Second;
        await _alarm.SetByAsync(() =>
        {
            _alarm.SetFor(last + Second);
            return Task.FromResult(Next(JobsAtRest.Start) with { Horizon = last });
        });
        _alarm.SetFor(last + Second);

        Assert.True(_alarm.Forget([JobsAtRest.Start], _alarm.LastChange));
        Assert.False(_alarm.Forget([last], _alarm.LastChange));
    }

    /// <summary>A task of a kind that another instance paused does not wake this worker, on whichever instance it was created.</summary>
    [Fact]
    public async Task WhatIsPausedDoesNotRing()
    {
        var paused = ScheduledTask.Create(TaskKind.Buzz, JobsAtRest.Start, JobsAtRest.Start, Guid.NewGuid());
        await _alarm.SetByAsync(() => Task.FromResult(Next() with { Paused = new HashSet<TaskKind> { TaskKind.Buzz } }));

        _alarm.SetFor(paused);
        Assert.False(_alarm.IsRinging);

        await LookAsync();
        _alarm.SetFor(paused);
        Assert.True(_alarm.IsRinging);
    }

    [Fact]
    public async Task StopEndsTheWait()
    {
        using var stop = new CancellationTokenSource();
        var waiting = _alarm.WaitAsync(stop.Token);

        await stop.CancelAsync();

        await waiting;
    }

    private Task LookAsync(params DateTimeOffset[] dueTimes) => _alarm.SetByAsync(() => Task.FromResult(Next(dueTimes)));

    private static Upcoming Next(params DateTimeOffset[] dueTimes) => new(dueTimes, Horizon: null, new HashSet<TaskKind>());
}
