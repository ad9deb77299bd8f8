using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Metrics;

/// <summary>What every instance tells about the task table.</summary>
public abstract class TableMetricsTests<TStore>(MeteredInstance<TStore> metered, string takeAway, string bringBack)
    : IClassFixture<MeteredInstance<TStore>>
    where TStore : ITestStore, new()
{
    private const string LongestOverdue = "taskscheduler_tasks_longest_overdue_seconds";
    private const string Running = "taskscheduler_worker_running";

    private InstanceProcess Instance => metered.Instance;

    [Fact]
    public async Task WhatTheTableHoldsIsTold()
    {
        const string Completed = "taskscheduler_tasks{kind=\"Fizz\",state=\"Completed\"}";
        await Instance.CreateAsync("Fizz", TimeProvider.System.GetUtcNow());
        for (var i = 0; i < 3; i++)
            await Instance.CreateAsync("Buzz", new(2034, 1, 1, 0, 0, 0, TimeSpan.Zero));

        var metrics = await metered.ReadUntilAsync(Completed, 1);

        Assert.Equal(3, metrics["taskscheduler_tasks{kind=\"Buzz\",state=\"Pending\"}"]);
        Assert.Equal(0, metrics["taskscheduler_tasks{kind=\"FizzBuzz\",state=\"Failed\"}"]);
        Assert.Equal(18, metrics.Keys.Count(name => name.StartsWith("taskscheduler_tasks{", StringComparison.Ordinal)));
        Assert.Equal(0, metrics[LongestOverdue]);
    }

    [Fact]
    public async Task BacklogIsSeen()
    {
        var due = TimeProvider.System.GetUtcNow();
        var tasks = new List<Guid>();
        for (var i = 0; i < MeteredInstance<TStore>.Slots + 3; i++)
            tasks.Add(await Instance.CreateAsync("FizzBuzz", due.AddHours(-1)));

        var metrics = await metered.ReadUntilAsync("taskscheduler_tasks{kind=\"FizzBuzz\",state=\"Pending\"}", 3);

        Assert.Equal(MeteredInstance<TStore>.Slots, metrics["taskscheduler_worker_slots"]);
        Assert.Equal(MeteredInstance<TStore>.Slots, metrics[Running]);
        Assert.InRange(metrics[LongestOverdue], 3600, 3600 + 600);

        // No other test is to wait for them.
        foreach (var task in tasks)
            await Instance.Client.DeleteAsync($"/tasks/{task}", TestContext.Current.CancellationToken);
        await metered.ReadUntilAsync(LongestOverdue, 0);
        await metered.ReadUntilAsync(Running, 0);
    }

    [Fact]
    public async Task PausedKindsAreSeen()
    {
        const string Paused = "taskscheduler_worker_paused{kind=\"Buzz\"}";
        await metered.ReadUntilAsync(Paused, 0);

        await SetAsync("""{"paused":true,"kinds":["Buzz"]}""");
        var metrics = await metered.ReadUntilAsync(Paused, 1);

        Assert.Equal((0, 0), (metrics["taskscheduler_worker_paused{kind=\"Fizz\"}"], metrics["taskscheduler_worker_paused{kind=\"FizzBuzz\"}"]));
        await SetAsync("""{"paused":false}""");
        await metered.ReadUntilAsync(Paused, 0);

        async Task SetAsync(string body)
        {
            using var answer = await Instance.Client.PutAsync(
                "/worker", new StringContent(body, null, "application/json"), TestContext.Current.CancellationToken);
            answer.EnsureSuccessStatusCode();
        }
    }

    [Fact]
    public async Task OtherFiguresAreToldWithoutTheTable()
    {
        const string Pending = "taskscheduler_tasks{kind=\"Fizz\",state=\"Pending\"}";
        await metered.ReadUntilAsync(Pending, 0);
        await metered.Store.ExecuteAsync(takeAway);

        var metrics = await metered.ReadUntilAsync(Pending, null);

        Assert.DoesNotContain(LongestOverdue, metrics.Keys);
        Assert.Equal(MeteredInstance<TStore>.Slots, metrics["taskscheduler_worker_slots"]);
        await metered.Store.ExecuteAsync(bringBack);
        await metered.ReadUntilAsync(Pending, 0);
    }
}
