using System.Net.Http.Json;
using System.Net.Sockets;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Hosting;

public sealed class OrderlyStopTests
{
    /// <summary>A shell has its background jobs ignore SIGINT, and with them the tests and what these start.</summary>
    private static readonly string[] HearsInterrupts = OperatingSystem.IsLinux() ? ["env", "--default-signal=INT"] : [];

    /// <summary>The second life begins with what the first one kept, and ends by the other signal.</summary>
    [Fact]
    public async Task SignalLetsTheRunningFinishKeepsTheWaitingAndExitsWithZero()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("tasks.db");
        var now = TimeProvider.System.GetUtcNow();
        await using var first = await InstanceProcess.StartAsync(file);
        var running = await first.CreateAsync("Fizz", now);
        var kept = await first.CreateAsync("Fizz", now.AddHours(1));
        await RunsAsync(first, running);

        Assert.Equal(0, await first.StopAsync("TERM"));

        Assert.Equal([$"Fizz {running}"], first.Output.Select(line => line.Text));
        await using var second = await InstanceProcess.WaitUntilListeningAsync(InstanceProcess.LaunchBy(HearsInterrupts, file));
        var keptAgain = await second.CreateAsync("Fizz", now.AddHours(1));
        using var moved = await second.Client.PatchAsJsonAsync(
            $"/tasks/{kept}", new { executeAt = now }, TestContext.Current.CancellationToken);
        await RunsAsync(second, kept);
        Assert.Equal(1, (await second.ShowAsync(kept)).GetProperty("attempt").GetInt32());

        Assert.Equal(0, await second.StopAsync("INT"));

        Assert.Equal([$"Fizz {kept}"], second.Output.Select(line => line.Text));
        await using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        Assert.Equal(["Pending"], await connection.AskAsync<string>($"SELECT State FROM Tasks WHERE lower(Id) = '{keptAgain}'"));
    }

    [Fact]
    public async Task HalfSentRequestDoesNotSpoilTheStop()
    {
        using var folder = new TemporaryFolder();
        await using var instance = await InstanceProcess.StartAsync(folder.File("tasks.db"));
        using var client = new TcpClient("127.0.0.1", instance.Client.BaseAddress!.Port);
        await client.GetStream().WriteAsync("POST /tasks HTTP/1.1\r\nHost: loc"u8.ToArray(), TestContext.Current.CancellationToken);
        var id = await instance.CreateAsync("Fizz", TimeProvider.System.GetUtcNow());
        await RunsAsync(instance, id);

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

    private static Task RunsAsync(InstanceProcess instance, Guid id) => Eventually.TrueAsync(
        async () => (await instance.ShowAsync(id)).GetProperty("state").GetString() == "Running", "the task runs");

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
