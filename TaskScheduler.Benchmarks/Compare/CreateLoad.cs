using System.Diagnostics;
using System.Globalization;

namespace TaskScheduler.Benchmarks.Compare;

/// <summary>
/// Creates tasks that are due in a day as fast as it can, over some connections that each wait for their answer.
/// </summary>
/// <param name="deployment">Whose first instance gets the requests.</param>
/// <param name="connections">Requests on the way at once.</param>
/// <param name="batch">Tasks in a request; with 1 it goes to <c>/tasks</c>.</param>
public sealed class CreateLoad(Deployment deployment, int connections, int batch)
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(10);

    private long _from;
    private long _created;
    private long _refused;

    private long To => _from + (long)(Measured.TotalSeconds * Stopwatch.Frequency);

    public async Task<IReadOnlyList<Figure>> MeasureAsync()
    {
        var jobsBefore = await deployment.JobsAsync("Scheduled");
        _from = Stopwatch.GetTimestamp() + (long)(WarmUp.TotalSeconds * Stopwatch.Frequency);
        var posting = Enumerable.Range(0, connections).Select(_ => Task.Run(PostAsync)).ToList();
        await Task.Delay(WarmUp);
        var (cpuBefore, createdBefore) = (deployment.Cpu, Interlocked.Read(ref _created));
        var lag = await FollowAsync(jobsBefore);
        var cpu = deployment.Cpu - cpuBefore;
        var posted = await Task.WhenAll(posting);

        var shown = await deployment.UntilJobsAsync("Scheduled", jobsBefore + _created);
        var cpuShown = deployment.Cpu - cpuBefore;
        var besides = await deployment.JobsAsync("Scheduled") - jobsBefore - _created;
        double[] latencies = [.. posted.SelectMany(connection => connection.Latencies).Order()];
        var rate = posted.Sum(connection => connection.TasksPerSecond);
        var tasks = rate * Measured.TotalSeconds;
        return
        [
            new("tasks a second", rate),
            new("latency p50", Quantile.At(latencies, .5), "ms"),
            new("latency p99", Quantile.At(latencies, .99), "ms"),
            new("CPU a task: instance", cpu.Instances / tasks * 1e6, "µs"),
            new("CPU a task: server", cpu.Server / tasks * 1e6, "µs"),
            new("… until all are shown: instance", cpuShown.Instances / (_created - createdBefore) * 1e6, "µs"),
            new("… until all are shown: server", cpuShown.Server / (_created - createdBefore) * 1e6, "µs"),
            new("answers that are not 201", _refused),
            new("jobs behind, at most", Math.Max(lag.Max, shown), "s"),
            new("jobs behind at the end", shown, "s"),
            new("jobs of others made meanwhile", besides > 0 ? besides : double.NaN),
        ];
    }

    private async Task<Posted> PostAsync()
    {
        var address = deployment.Instances[0].Address;
        var executeAt = TimeProvider.System.GetUtcNow().AddDays(1).ToString("O", CultureInfo.InvariantCulture);
        var task = $$"""{"kind":"Fizz","executeAt":"{{executeAt}}"}""";
        var request = batch == 1
            ? RawConnection.Post(address, "/tasks", task)
            : RawConnection.Post(
                address, "/tasks/batch", $$"""{"tasks":[{{string.Join(',', Enumerable.Repeat(task, batch))}}]}""");
        using var connection = new RawConnection();
        await connection.ConnectAsync(address);
        var (latencies, tasks) = (new List<double>(), 0);
        for (var sent = Stopwatch.GetTimestamp(); sent < To || latencies.Count == 0;)
        {
            var created = await connection.SendAsync(request) == 201 ? batch : 0;
            var answered = Stopwatch.GetTimestamp();
            Interlocked.Add(ref _created, created);
            if (created == 0)
                Interlocked.Increment(ref _refused);
            if (sent >= _from)
            {
                latencies.Add(Stopwatch.GetElapsedTime(sent, answered).TotalMilliseconds);
                tasks += created;
            }

            sent = answered;
        }

        return new(latencies, tasks);
    }

    /// <summary>Looks once a second, until the load is over, how far the jobs are behind.</summary>
    private async Task<Lag> FollowAsync(double jobsBefore)
    {
        var lag = new Lag();
        while (Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), To) is var left && left > TimeSpan.Zero)
        {
            var (at, created) = (Stopwatch.GetElapsedTime(_from).TotalSeconds, Interlocked.Read(ref _created));
            lag.Add(at, created, await deployment.JobsAsync("Scheduled") - jobsBefore);
            await Task.Delay(left < TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1));
        }

        return lag;
    }

    /// <summary>What one connection did from when it counted to its last answer, one request after the other.</summary>
    /// <param name="Latencies">In milliseconds.</param>
    /// <param name="Tasks">Created by them.</param>
    private sealed record Posted(IReadOnlyList<double> Latencies, int Tasks)
    {
        /// <summary>By the time that they took, not by the window: a batch may take seconds.</summary>
        public double TasksPerSecond => Latencies.Count == 0 ? 0 : Tasks / (Latencies.Sum() / 1e3);
    }
}
