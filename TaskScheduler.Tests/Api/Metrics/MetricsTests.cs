using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Metrics;

/// <summary>In a process of its own: a meter is found by its name, and the instances of other tests have it, too.</summary>
public abstract class MetricsTests<TStore>(string tableName) : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private readonly TStore _store = new();
    private InstanceProcess _instance = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _instance = await InstanceProcess.StartOnAsync(_store, "--Worker:Count=7", "--Execution:LookAhead=00:05:00");

    public async ValueTask DisposeAsync()
    {
        await _instance.DisposeAsync();
        await _store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task MetricsAreTextThatPrometheusReads()
    {
        using var answer = await _instance.Client.GetAsync("/metrics", Cancel);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
    }

    [Fact]
    public async Task WhatThisInstanceDidIsCounted()
    {
        Assert.Equal(0, (await ReadAsync())["taskscheduler_tasks_created_total{kind=\"Fizz\"}"]);
        var past = TimeProvider.System.GetUtcNow().AddDays(-1);
        await PostTwiceAsync("/tasks/batch", new { tasks = new[] { new { kind = "Fizz", executeAt = past }, new { kind = "Fizz", executeAt = past } } });
        await _instance.CreateAsync("Buzz", new(2034, 1, 1, 0, 0, 0, TimeSpan.Zero));

        var metrics = await ReadUntilAsync("taskscheduler_tasks_finished_total{kind=\"Fizz\",state=\"Completed\"}", 2);

        Assert.Equal(2, metrics["taskscheduler_tasks_created_total{kind=\"Fizz\"}"]);
        Assert.Equal(1, metrics["taskscheduler_tasks_created_total{kind=\"Buzz\"}"]);
        Assert.Equal(0, metrics["taskscheduler_tasks_finished_total{kind=\"Buzz\",state=\"Completed\"}"]);
        Assert.Equal(0, metrics["taskscheduler_tasks_finished_total{kind=\"Fizz\",state=\"Failed\"}"]);
        Assert.Equal(2, metrics["taskscheduler_tasks_start_lateness_seconds_count{kind=\"Fizz\"}"]);
        // Not since yesterday: nobody could have started them before they were there.
        Assert.InRange(metrics["taskscheduler_tasks_start_lateness_seconds_sum{kind=\"Fizz\"}"], 0, 3600);
    }

    [Fact]
    public async Task WhatTheTableHoldsIsTold()
    {
        await _instance.CreateAsync("Fizz", TimeProvider.System.GetUtcNow());
        for (var i = 0; i < 3; i++)
            await _instance.CreateAsync("Buzz", new(2034, 1, 1, 0, 0, 0, TimeSpan.Zero));

        var metrics = await ReadUntilAsync("taskscheduler_tasks{kind=\"Fizz\",state=\"Completed\"}", 1);

        Assert.Equal(3, metrics["taskscheduler_tasks{kind=\"Buzz\",state=\"Pending\"}"]);
        Assert.Equal(0, metrics["taskscheduler_tasks{kind=\"FizzBuzz\",state=\"Failed\"}"]);
        Assert.Equal(15, metrics.Keys.Count(name => name.StartsWith("taskscheduler_tasks{", StringComparison.Ordinal)));
        Assert.Equal(0, metrics["taskscheduler_tasks_longest_overdue_seconds"]);
    }

    [Fact]
    public async Task BacklogIsSeen()
    {
        var due = TimeProvider.System.GetUtcNow();
        for (var i = 0; i < 10; i++)
            await _instance.CreateAsync("FizzBuzz", due.AddHours(-1));

        var metrics = await ReadUntilAsync("taskscheduler_tasks{kind=\"FizzBuzz\",state=\"Pending\"}", 3);

        Assert.Equal(7, metrics["taskscheduler_worker_slots"]);
        Assert.Equal(7, metrics["taskscheduler_worker_running"]);
        Assert.InRange(metrics["taskscheduler_tasks_longest_overdue_seconds"], 3600, 3600 + 600);
    }

    [Fact]
    public async Task WhatWaitsHereForItsTimeIsTold()
    {
        Assert.Equal(0, (await ReadAsync())["taskscheduler_worker_held"]);
        // Within the look-ahead, and longer than the wait for it to be seen.
        await _instance.CreateAsync("Fizz", TimeProvider.System.GetUtcNow().AddMinutes(2));

        await ReadUntilAsync("taskscheduler_worker_held", 1);
    }

    [Fact]
    public async Task RequestsAreCountedByCallAndAnswer()
    {
        await _instance.ShowAsync(await _instance.CreateAsync("Fizz", new(2034, 1, 1, 0, 0, 0, TimeSpan.Zero)));

        var metrics = await ReadAsync();

        Assert.Contains(metrics, metric =>
            metric.Key.StartsWith("http_server_request_duration_seconds_count", StringComparison.Ordinal)
            && metric.Key.Contains("http_request_method=\"GET\"", StringComparison.Ordinal)
            && metric.Key.Contains("http_response_status_code=\"200\"", StringComparison.Ordinal)
            && metric.Key.Contains("http_route=\"tasks/{id}\"", StringComparison.Ordinal)
            && metric.Value == 1);
    }

    [Fact]
    public async Task OtherFiguresAreToldWithoutTheTable()
    {
        await _store.ExecuteAsync($"DROP TABLE {tableName}");

        var metrics = await ReadUntilAsync("taskscheduler_tasks{kind=\"Fizz\",state=\"Pending\"}", null);

        Assert.DoesNotContain("taskscheduler_tasks_longest_overdue_seconds", metrics.Keys);
        Assert.Equal(7, metrics["taskscheduler_worker_slots"]);
    }

    [Fact]
    public async Task ReferenceListsEveryMetricOfOurs()
    {
        await _instance.CreateAsync("Fizz", TimeProvider.System.GetUtcNow());
        await ReadUntilAsync("taskscheduler_tasks_finished_total{kind=\"Fizz\",state=\"Completed\"}", 1);
        var text = await _instance.Client.GetStringAsync("/metrics", Cancel);

        var documented = Regex.Matches(Repository.Read("docs/operations.md"), @"^\| `(taskscheduler_\w+)`", RegexOptions.Multiline);
        Assert.Equal(
            Regex.Matches(text, @"^# TYPE (taskscheduler_\w+) ", RegexOptions.Multiline).Select(type => type.Groups[1].Value).Order(),
            documented.Select(row => row.Groups[1].Value).Order());
    }

    private async Task PostTwiceAsync(string path, object body)
    {
        for (var i = 0; i < 2; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
            request.Headers.Add("Idempotency-Key", "counted once");
            using var answer = await _instance.Client.SendAsync(request, Cancel);
            Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        }
    }

    private async Task<Dictionary<string, double>> ReadUntilAsync(string name, double? value)
    {
        Dictionary<string, double> metrics = [];
        await Eventually.TrueAsync(
            async () =>
            {
                metrics = await ReadAsync();
                return value is null ? !metrics.ContainsKey(name) : metrics.TryGetValue(name, out var found) && found == value;
            },
            $"{name} is {value?.ToString(CultureInfo.InvariantCulture) ?? "not there"}");
        return metrics;
    }

    /// <summary>By name and labels, without the label that says whose meter it is.</summary>
    private async Task<Dictionary<string, double>> ReadAsync()
    {
        var text = await _instance.Client.GetStringAsync("/metrics", Cancel);
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#').ToDictionary(
            line => Regex.Replace(line[..line.LastIndexOf(' ')], @"otel_scope_name=""[^""]*"",?", "").Replace("{}", "", StringComparison.Ordinal),
            line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }
}
