using System.Collections.Concurrent;
using Hangfire;
using Hangfire.Common;
using Hangfire.InMemory;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Benchmarks;

/// <summary>
/// The same load on Hangfire as it comes: delayed jobs, a thread per slot that sleeps, one look at the schedule a second.
/// </summary>
public static class HangfireBaseline
{
    private static ConcurrentBag<Observation> _observations = [];

    public static async Task<IReadOnlyList<Observation>> MeasureAsync(Scenario scenario)
    {
        _observations = [];
        // The product, measured in the same process, lets Hangfire load its own jobs only.
        GlobalConfiguration.Configuration.UseTypeResolver(TypeHelper.DefaultTypeResolver);
        using var storage = new InMemoryStorage();
        var client = new BackgroundJobClient(storage);
        using var server = new BackgroundJobServer(
            new BackgroundJobServerOptions
            {
                WorkerCount = scenario.Slots,
                SchedulePollingInterval = TimeSpan.FromSeconds(1),
            },
            storage);
        var origin = TimeProvider.System.GetUtcNow() + TimeSpan.FromSeconds(1);
        foreach (var (kind, due) in scenario.Tasks)
            Schedule(kind, origin + due);
        var total = scenario.Tasks.Count + scenario.PostedForNow;
        var measuredFrom = DateTimeOffset.MinValue;
        if (scenario.PostedForNow > 0)
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
            measuredFrom = TimeProvider.System.GetUtcNow();
            for (var i = 0; i < scenario.PostedForNow; i++)
            {
                var now = TimeProvider.System.GetUtcNow();
                client.Enqueue(() => Run(TaskKind.Fizz, now));
            }
        }

        while (_observations.Count < total)
            await Task.Delay(50);
        var waitingFrom = origin + TimeSpan.FromSeconds(5);
        return [.. _observations.Where(o => scenario.PostedForNow == 0 || (o.DueAt >= measuredFrom && o.DueAt < waitingFrom))];

        void Schedule(TaskKind kind, DateTimeOffset at) => client.Schedule(() => Run(kind, at), at);
    }

    [AutomaticRetry(Attempts = 0)]
    public static void Run(TaskKind kind, DateTimeOffset dueAt)
    {
        var startedAt = TimeProvider.System.GetUtcNow();
#pragma warning disable RS0030 // Sleeping on the worker's thread is what is measured here.
        Thread.Sleep(kind.Definition().Pause);
#pragma warning restore RS0030
        _observations.Add(new Observation(kind, dueAt, startedAt, TimeProvider.System.GetUtcNow()));
    }
}
