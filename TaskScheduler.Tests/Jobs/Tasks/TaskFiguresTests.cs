using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Tasks;

/// <summary>What the pictures show is what the table holds.</summary>
public abstract class TaskFiguresTests<TStore>
    where TStore : ITestStore, new()
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EmptyTableHasNothingDueAndNothingDone()
    {
        await using var jobs = await JobsAtRest.OpenAsync<TStore>();

        var due = await jobs.Get<TaskFigures>().DueAsync(Cancel);
        var done = await jobs.Get<TaskFigures>().DoneAsync(TaskFigures.StartOfMinute(jobs.Now), 60, Cancel);

        Assert.Equal(0, due.Overdue);
        Assert.Equal((TaskFigures.Minutes, TaskFigures.Hours), (due.ByMinute.Count, due.ByHour.Count));
        Assert.All(due.ByMinute.Concat(due.ByHour), part => Assert.Equal(0, part.Count));
        Assert.Equal(60, done.Count);
        Assert.All(done, minute => Assert.Equal((0, 0, null, null), (minute.Completed, minute.Failed, minute.Median, minute.Percentile99)));
    }

    [Fact]
    public async Task TaskIsCountedInTheMinuteAndTheHourInWhichItIsDue()
    {
        await using var jobs = await JobsAtRest.OpenAsync<TStore>();
        var now = At(jobs, minute: 40, second: 20);
        var minute = now.AddSeconds(-20);
        var hour = now.AddMinutes(-40).AddSeconds(-20);
        await jobs.AddAsync(
            // Before the first minute of the picture ends, and on the edges of the second and the last.
            now, now.AddSeconds(39), minute.AddMinutes(1), minute.AddMinutes(2).AddMilliseconds(-1), minute.AddMinutes(60).AddMilliseconds(-1),
            // After the minutes of the picture, in the same hour as the last of them and in the last hour.
            minute.AddMinutes(60), hour.AddHours(2).AddMilliseconds(-1), hour.AddHours(23), hour.AddHours(24).AddMilliseconds(-1),
            // Outside of both.
            hour.AddHours(24), now.AddMilliseconds(-1), hour.AddDays(-1));

        var due = await jobs.Get<TaskFigures>().DueAsync(Cancel);

        Assert.Equal(2, due.Overdue);
        Assert.Equal(
            [(minute, 2), (minute.AddMinutes(1), 2), (minute.AddMinutes(59), 1)],
            due.ByMinute.Where(part => part.Count > 0).Select(part => (part.From, part.Count)));
        Assert.Equal(
            [(hour, 4), (hour.AddHours(1), 3), (hour.AddHours(23), 2)],
            due.ByHour.Where(part => part.Count > 0).Select(part => (part.From, part.Count)));
        Assert.Equal((minute, hour), (due.ByMinute[0].From, due.ByHour[0].From));
    }

    [Fact]
    public async Task OnlyWhatIsPendingIsDue()
    {
        await using var jobs = await JobsAtRest.OpenAsync<TStore>();
        await jobs.CreateInAsync(ScheduledTaskState.Running);
        var deleted = await jobs.CreateAsync(jobs.Now.AddMinutes(5));
        await jobs.Get<TaskClient>().DeleteAsync(deleted.Id, Cancel);

        var due = await jobs.Get<TaskFigures>().DueAsync(Cancel);

        Assert.Equal((0, 0, 0), (due.Overdue, due.ByMinute.Sum(part => part.Count), due.ByHour.Sum(part => part.Count)));
    }

    [Fact]
    public async Task WhatFinishedIsCountedInItsMinuteByHowItEnded()
    {
        await using var jobs = await JobsAtRest.OpenAsync<TStore>(replace: null, "--Execution:MaxTries=1");
        var minute = At(jobs, minute: 0, second: 0);
        await jobs.AddAsync(minute, minute, minute);
        var claimed = await jobs.ClaimAsync();
        await jobs.CompleteAsync(claimed[0]);
        jobs.Clock.Advance(TimeSpan.FromMilliseconds(59_999));
        await jobs.CompleteAsync(claimed[1]);
        jobs.Clock.Advance(TimeSpan.FromMilliseconds(1));
        await jobs.FailAsync(claimed[2], "Full");
        await jobs.Get<TaskClient>().DeleteAsync((await jobs.CreateInAsync(ScheduledTaskState.Completed)).Id, Cancel);
        await jobs.CreateInAsync(ScheduledTaskState.Expired);

        var done = await jobs.Get<TaskFigures>().DoneAsync(minute.AddMinutes(-1), 3, Cancel);

        Assert.Equal(
            [(minute.AddMinutes(-1), 0, 0), (minute, 2, 0), (minute.AddMinutes(1), 0, 1)],
            done.Select(part => (part.From, part.Completed, part.Failed)));
    }

    [Fact]
    public async Task LatenessIsThatOfFirstAttempts()
    {
        await using var jobs = await JobsAtRest.OpenAsync<TStore>();
        var minute = At(jobs, minute: 0, second: 0);
        // Due a second ago, and one that was created after the time that it asks for.
        await jobs.AddAsync([.. Enumerable.Repeat(minute, 3), minute.AddDays(-1)]);
        jobs.Clock.Advance(TimeSpan.FromSeconds(1));
        await jobs.CompleteAsync(await jobs.ClaimAsync());
        // One that starts late, and one that starts as late but is given back.
        await jobs.AddAsync([.. Enumerable.Repeat(jobs.Now, 2)]);
        jobs.Clock.Advance(TimeSpan.FromSeconds(30));
        var late = await jobs.ClaimAsync();
        await jobs.CompleteAsync(late[0]);
        await jobs.GiveBackAsync(late[1]);
        jobs.Clock.Advance(TimeSpan.FromSeconds(20));
        await jobs.CompleteAsync(await jobs.ClaimAsync());

        var done = Assert.Single(await jobs.Get<TaskFigures>().DoneAsync(minute, 1, Cancel));

        Assert.Equal((6, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30)), (done.Completed, done.Median, done.Percentile99));
    }

    /// <summary>What finishes first in a minute does not speak for all of it.</summary>
    [Fact]
    public async Task SampleIsTakenFromAllPartsOfTheMinute()
    {
        await using var jobs = await JobsAtRest.OpenAsync<TStore>();
        var minute = At(jobs, minute: 0, second: 0);
        await jobs.AddAsync(Enumerable.Repeat(minute, 500));
        await jobs.CompleteAsync(await jobs.ClaimAsync());
        await jobs.AddAsync(minute);
        jobs.Clock.Advance(TimeSpan.FromSeconds(50));
        await jobs.CompleteAsync(await jobs.ClaimAsync());

        var done = Assert.Single(await jobs.Get<TaskFigures>().DoneAsync(minute, 1, Cancel));

        Assert.Equal((501, TimeSpan.Zero, TimeSpan.FromSeconds(50)), (done.Completed, done.Median, done.Percentile99));
    }

    [Fact]
    public async Task InstanceTellsItsSlotsAndWhatItRuns()
    {
        await using var jobs = await JobsAtRest.OpenAsync<TStore>(replace: null, "--Worker:Count=7", "--Instance:Name=web-1");
        await jobs.AddAsync(jobs.Now, jobs.Now, jobs.Now.AddDays(1));
        await jobs.ClaimAsync();

        Assert.Equal([new("web-1", 7, 2)], await jobs.Get<TaskFigures>().InstancesAsync(Cancel));
    }

    /// <summary>Sets the clock to this minute of the next hour.</summary>
    private static DateTimeOffset At(JobsAtRest jobs, int minute, int second)
    {
        var now = jobs.Now;
        jobs.Clock.SetUtcNow(new DateTimeOffset(now.Year, now.Month, now.Day, now.Hour, minute, second, TimeSpan.Zero).AddHours(1));
        return jobs.Now;
    }
}

/// <summary>The same where instances share a store.</summary>
public abstract class SeveralInstancesFiguresTests<TStore>
    where TStore : ITestStore, new()
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task InstancesThatLiveAreShownInOrder()
    {
        await using var store = new TStore();
        await using var silent = await JobsAtRest.OpenAsync(store, replace: null, "--Instance:Name=a");
        await silent.BeatAsync();
        await silent.AddAsync(silent.Now, silent.Now);
        await silent.ClaimAsync();
        silent.Clock.Advance(TimeSpan.FromMinutes(1));
        await using var worker = silent.Another("--Worker:Count=5");
        await worker.AddAsync(worker.Now);
        Assert.Single(await worker.ClaimAsync());
        await using var api = silent.Another("--Instance:Role=Api");
        await api.BeatAsync();

        var instances = await api.Get<TaskFigures>().InstancesAsync(Cancel);

        Assert.Equal([new("another", 0, 0), new("another", 5, 1)], instances.OrderBy(i => i.Slots));
    }
}
