using Hangfire.Common;
using Hangfire.States;
using TaskScheduler.Jobs.Projection;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Jobs.Projection;

public sealed class JobStatesTests
{
    private static readonly DateTimeOffset Created = new(2026, 11, 29, 8, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Due = Created.AddMilliseconds(60_250);
    private static readonly DateTimeOffset Started = Due.AddMilliseconds(3);
    private static readonly DateTimeOffset Finished = Started.AddMilliseconds(3_004);

    [Fact]
    public void PendingTaskIsScheduledForItsTimeToTheMillisecond()
    {
        var state = Assert.IsType<ScheduledState>(JobStates.Of(Row(ScheduledTaskState.Pending), serverId: null));

        Assert.Equal(Due.UtcDateTime, state.EnqueueAt);
        Assert.Equal(Due.UtcDateTime, JobHelper.DeserializeDateTime(state.SerializeData()["EnqueueAt"]));
        Assert.Null(state.Reason);
    }

    [Fact]
    public void TaskThatWaitsForItsNextTrySaysWhy()
    {
        var row = Row(ScheduledTaskState.Pending, ("Tries", 2), ("Error", "IOException: Full"));

        Assert.Equal("Try 2 failed: IOException: Full", JobStates.Of(row, serverId: null).Reason);
    }

    [Fact]
    public void RunningTaskIsProcessedByTheServerOfItsInstance()
    {
        var state = JobStates.Of(Row(ScheduledTaskState.Running), "web-1:4711:abc");

        var data = state.SerializeData();
        Assert.Equal("Processing", state.Name);
        Assert.Equal("Attempt 2", state.Reason);
        Assert.Equal("web-1:4711:abc", data["ServerId"]);
        Assert.Equal(Started.UtcDateTime, JobHelper.DeserializeDateTime(data["StartedAt"]));
    }

    [Fact]
    public void RunningTaskOfAnInstanceWithoutAServerNamesTheInstance() =>
        Assert.Equal("web-1:4711", JobStates.Of(Row(ScheduledTaskState.Running), serverId: null).SerializeData()["ServerId"]);

    /// <summary>The dashboard shows the first eight characters, and fails on fewer.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(1_000_000)]
    public void WorkerIsTheAttempt(int attempt)
    {
        var worker = JobStates.Of(Row(ScheduledTaskState.Running, ("Attempt", attempt)), serverId: null).SerializeData()["WorkerId"];

        Assert.Equal($"attempt {attempt}", worker);
        Assert.True(worker.Length >= 8);
    }

    [Fact]
    public void CompletedTaskSucceededWithItsOutputAndItsTimes()
    {
        var data = JobStates.Of(Row(ScheduledTaskState.Completed), serverId: null).SerializeData();

        Assert.Equal(Finished.UtcDateTime, JobHelper.DeserializeDateTime(data["SucceededAt"]));
        Assert.Equal("3004", data["PerformanceDuration"]);
        Assert.Equal("60253", data["Latency"]);
        Assert.Equal("\"Fizz 1\"", data["Result"]);
    }

    /// <summary>Another instance's clock may have been behind.</summary>
    [Fact]
    public void NoDurationIsNegative()
    {
        var row = Row(ScheduledTaskState.Completed, ("FinishedAt", Started.AddSeconds(-1)), ("CreatedAt", Started.AddSeconds(1)));

        var data = JobStates.Of(row, serverId: null).SerializeData();

        Assert.Equal(("0", "0"), (data["PerformanceDuration"], data["Latency"]));
    }

    [Fact]
    public void FailedTaskShowsItsError()
    {
        var state = JobStates.Of(Row(ScheduledTaskState.Failed), serverId: null);

        var data = state.SerializeData();
        Assert.Equal("Try 3 failed", state.Reason);
        Assert.Equal(("IOException", "IOException: Full: no room"), (data["ExceptionType"], data["ExceptionMessage"]));
        Assert.Equal(Finished.UtcDateTime, JobHelper.DeserializeDateTime(data["FailedAt"]));
    }

    [Fact]
    public void DeletedTaskShowsWhenItWasDeleted() => Assert.Equal(
        Finished.UtcDateTime,
        JobHelper.DeserializeDateTime(JobStates.Of(Row(ScheduledTaskState.Deleted), serverId: null).SerializeData()["DeletedAt"]));

    [Theory]
    [InlineData(ScheduledTaskState.Pending, "Scheduled", false)]
    [InlineData(ScheduledTaskState.Running, "Processing", false)]
    [InlineData(ScheduledTaskState.Completed, "Succeeded", true)]
    [InlineData(ScheduledTaskState.Failed, "Failed", false)]
    [InlineData(ScheduledTaskState.Deleted, "Deleted", true)]
    public void EveryStateHasItsNameAndOnlyTheLastOnesExpire(ScheduledTaskState of, string name, bool isFinal)
    {
        var state = JobStates.Of(Row(of), serverId: null);

        Assert.Equal((name, name), (state.Name, JobStates.NameOf(of)));
        Assert.Equal(isFinal, state.IsFinal);
    }

    [Fact]
    public void WhatIsNoStateIsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => JobStates.Of(Row((ScheduledTaskState)99), serverId: null));

    /// <summary>A row that has been through everything that leads to the state.</summary>
    private static ScheduledTask Row(ScheduledTaskState state, params (string Name, object Value)[] columns)
    {
        var row = ScheduledTask.Create(TaskKind.Fizz, Due, Created, Guid.NewGuid());
        Set("State", state);
        if (state is not ScheduledTaskState.Pending)
        {
            Set("Attempt", 2);
            Set("StartedAt", Started);
            Set("Instance", "web-1:4711");
            Set("FinishedAt", Finished);
        }

        if (state is ScheduledTaskState.Completed)
            Set("Output", "Fizz 1");
        if (state is ScheduledTaskState.Failed)
        {
            Set("Tries", 3);
            Set("Error", "IOException: Full: no room");
        }

        if (state is ScheduledTaskState.Deleted)
            Set("DeletedAt", Finished);
        foreach (var (name, value) in columns)
            Set(name, value);
        return row;

        void Set(string name, object value) => typeof(ScheduledTask).GetProperty(name)!.SetValue(row, value);
    }
}
