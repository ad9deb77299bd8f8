using Hangfire.States;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Maintenance;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.PostgreSql;

/// <summary>Hangfire's tables are lost, and the numbers of its jobs begin at 1 again, which old rows still name.</summary>
public sealed class NumbersFromOneTests : IAsyncLifetime
{
    private readonly PostgreSqlTestStore _store = new();
    private JobsAtRest _jobs = null!;
    private ScheduledTask _old = null!;
    private ScheduledTask _waiting = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The old row names the number that the waiting one's new job will have.</summary>
    public async ValueTask InitializeAsync()
    {
        _jobs = await JobsAtRest.OpenAsync(_store);
        await _store.ExecuteAsync("ALTER SEQUENCE hangfire.job_id_seq RESTART");
        _old = await _jobs.CreateInAsync(ScheduledTaskState.Completed);
        await _store.ExecuteAsync("TRUNCATE hangfire.job, scheduler.\"JobQueue\" RESTART IDENTITY CASCADE");
        _waiting = Assert.Single(await _jobs.AddAsync([JobsAtRest.Start.AddDays(1)], withJobs: false));
        _jobs.Clock.Advance(TimeSpan.FromSeconds(6));
    }

    public async ValueTask DisposeAsync()
    {
        await _jobs.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task NumberIsTakenFromTheRowThatStillHasIt()
    {
        await _jobs.Get<JobRebuilder>().RunOnceAsync(Cancel);

        Assert.Equal(_old.JobId, (await _jobs.FindAsync(_waiting.Id)).JobId);
        Assert.Null((await _jobs.FindAsync(_old.Id)).JobId);
        Assert.Equal("Scheduled", _jobs.JobState(_old.JobId));
    }

    [Fact]
    public async Task LateReportOfTheOldTaskDoesNotEndTheNewJob()
    {
        await _jobs.Get<JobRebuilder>().RunOnceAsync(Cancel);

        _jobs.Get<JobReporter>().Report(_old.JobId!, _old.Id, _old.CreatedAt, new OwnDeletedState("The task was deleted"));
        await _jobs.ReportAsync();

        Assert.Equal("Scheduled", _jobs.JobState(_old.JobId));
    }

    /// <summary>Nobody named the old one, which was reported and not done yet when the number was given again.</summary>
    [Fact]
    public async Task LateEndOfASpareJobDoesNotEndTheNewJob()
    {
        await _jobs.Get<JobRebuilder>().RunOnceAsync(Cancel);

        _jobs.Get<JobReporter>().EndSpare(new(_old.JobId!, _old.Id));
        await _jobs.ReportAsync();

        Assert.Equal("Scheduled", _jobs.JobState(_old.JobId));
    }

    [Fact]
    public async Task JobOfAnotherTaskIsTakenForLost()
    {
        var number = _jobs.Get<TaskJobs>().Create(_old.Id);
        _jobs.Get<TaskJobs>().ApplyFirst([new(number, _old.Id, _old.CreatedAt, new EnqueuedState(TaskJobs.Queue))]);
        await _store.ExecuteAsync(
            $"""
            UPDATE scheduler."Tasks" SET "JobId" = NULL WHERE "Id" = '{_old.Id}';
            UPDATE scheduler."Tasks" SET "JobId" = '{number}' WHERE "Id" = '{_waiting.Id}';
            """);

        await _jobs.Get<JobRebuilder>().RunOnceAsync(Cancel);

        Assert.NotEqual(number, (await _jobs.FindAsync(_waiting.Id)).JobId);
    }
}
