using System.Net.Http.Json;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Hosting;

public sealed class OrderlyStopTests
{
    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task SignalLetsTheRunningFinishKeepsTheWaitingAndExitsWithZero(string signal)
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("tasks.db");
        await using var instance = await InstanceProcess.StartAsync(file);
        var now = TimeProvider.System.GetUtcNow();
        var running = await instance.CreateAsync("Fizz", now);
        var waiting = await instance.CreateAsync("Fizz", now.AddHours(1));
        await Eventually.TrueAsync(
            async () => (await instance.ShowAsync(running)).GetProperty("state").GetString() == "Running", "the first task runs");

        Assert.Equal(0, await instance.StopAsync(signal));

        Assert.Equal([$"Fizz {running}"], instance.Output.Select(line => line.Text));
        await using var next = await InstanceProcess.StartAsync(file);
        using var moved = await next.Client.PatchAsJsonAsync(
            $"/tasks/{waiting}", new { executeAt = now }, TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => next.Output.Any(line => line.Text == $"Fizz {waiting}"), "the waiting task runs in the next life");
        Assert.Equal(1, (await next.ShowAsync(waiting)).GetProperty("attempt").GetInt32());
    }

    [Fact]
    public async Task HalfSentRequestDoesNotSpoilTheStop()
    {
        using var folder = new TemporaryFolder();
        await using var instance = await InstanceProcess.StartAsync(folder.File("tasks.db"));
        using var client = new TcpClient("127.0.0.1", instance.Client.BaseAddress!.Port);
        await client.GetStream().WriteAsync("POST /tasks HTTP/1.1\r\nHost: loc"u8.ToArray(), TestContext.Current.CancellationToken);
        var id = await instance.CreateAsync("Fizz", TimeProvider.System.GetUtcNow());
        await Eventually.TrueAsync(
            async () => (await instance.ShowAsync(id)).GetProperty("state").GetString() == "Running", "the task runs");

        Assert.Equal(0, await instance.StopAsync());

        Assert.Equal([$"Fizz {id}"], instance.Output.Select(line => line.Text));
    }

    [Fact]
    public async Task TaskThatDoesNotFinishInTimeIsGivenBackAndCountsNoTry()
    {
        await using var store = new EmbeddedTestStore();
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var stopped = new TaskCompletionSource();
        Guid id;
        await using (var app = await TestApplication.StartAsync(WithEndlessWork(clock, stopped), store))
        {
            id = (await app.CreateAsync(TaskKind.Fizz, clock.GetUtcNow().AddSeconds(-1))).Id;
            await app.WaitForAsync(id, ScheduledTaskState.Running);

            var stop = app.StopAsync();
            // No further than that: the last commits have three seconds of this clock, however busy the machine is.
            await Eventually.TrueAsync(
                () =>
                {
                    clock.Advance(TimeSpan.FromSeconds(1));
                    return stopped.Task.IsCompleted;
                },
                "the task is stopped after the drain timeout");
            await stop;
        }

        await using var next = await TestApplication.StartAsync(WithEndlessWork(clock, stopped), store);
        var task = await next.WaitForAsync(id, ScheduledTaskState.Running);
        Assert.Equal((2, 0), (task.Attempt, task.Tries));
        Assert.Empty(next.Output.Lines);
    }

    private static Action<IServiceCollection> WithEndlessWork(TimeProvider clock, TaskCompletionSource stopped) => services =>
    {
        services.AddSingleton(clock);
        services.AddSingleton<TaskWork>(async (_, _, stop) =>
        {
            try
            {
                return await new TaskCompletionSource<string>().Task.WaitAsync(stop);
            }
            finally
            {
                stopped.TrySetResult();
            }
        });
    };
}
