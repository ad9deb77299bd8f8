using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Metrics;

/// <summary>What an instance tells about itself, whatever its store.</summary>
public sealed class InstanceMetricsTests(MeteredInstance<EmbeddedTestStore> metered) : IClassFixture<MeteredInstance<EmbeddedTestStore>>
{
    private static readonly DateTimeOffset Later = new(2034, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private InstanceProcess Instance => metered.Instance;

    [Fact]
    public async Task MetricsAreTextThatPrometheusReads()
    {
        using var answer = await Instance.Client.GetAsync("/metrics", Cancel);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
    }

    [Fact]
    public async Task WhatThisInstanceDidIsCounted()
    {
        const string Created = "taskscheduler_tasks_created_total{kind=\"Fizz\"}";
        const string Completed = "taskscheduler_tasks_finished_total{kind=\"Fizz\",state=\"Completed\"}";
        const string Started = "taskscheduler_tasks_start_lateness_seconds_count{kind=\"Fizz\"}";
        Assert.Equal(0, metered.AtFirst[Created]);
        var before = await metered.ReadAsync();
        var past = TimeProvider.System.GetUtcNow().AddDays(-1);
        await PostTwiceAsync("/tasks/batch", new { tasks = new[] { new { kind = "Fizz", executeAt = past }, new { kind = "Fizz", executeAt = past } } });
        await Instance.CreateAsync("FizzBuzz", Later);

        var metrics = await metered.ReadUntilAsync(Completed, before[Completed] + 2);

        Assert.Equal(before[Created] + 2, metrics[Created]);
        Assert.Equal(1, metrics["taskscheduler_tasks_created_total{kind=\"FizzBuzz\"}"]);
        Assert.Equal(0, metrics["taskscheduler_tasks_finished_total{kind=\"FizzBuzz\",state=\"Completed\"}"]);
        Assert.Equal(0, metrics["taskscheduler_tasks_finished_total{kind=\"Fizz\",state=\"Failed\"}"]);
        // A start is only counted once there was one.
        Assert.Equal(before.GetValueOrDefault(Started) + 2, metrics[Started]);
        // Not since yesterday: no instance could have started them before they were there.
        Assert.InRange(metrics["taskscheduler_tasks_start_lateness_seconds_sum{kind=\"Fizz\"}"], 0, 3600);
    }

    [Fact]
    public async Task RequestsAreCountedByCallAndAnswer()
    {
        // A kind that the other tests do not count: an answer of /metrics is kept for a moment.
        await Instance.ShowAsync(await Instance.CreateAsync("Buzz", Later));

        await Eventually.TrueAsync(
            async () => (await metered.ReadAsync()).Any(metric =>
                metric.Key.StartsWith("http_server_request_duration_seconds_count", StringComparison.Ordinal)
                && metric.Key.Contains("http_request_method=\"GET\"", StringComparison.Ordinal)
                && metric.Key.Contains("http_response_status_code=\"200\"", StringComparison.Ordinal)
                && metric.Key.Contains("http_route=\"tasks/{id}\"", StringComparison.Ordinal)
                && metric.Value == 1),
            "the request is counted");
    }

    [Fact]
    public async Task ReferenceListsEveryMetricOfOurs()
    {
        await Instance.CreateAsync("Buzz", TimeProvider.System.GetUtcNow());
        await metered.ReadUntilAsync("taskscheduler_tasks_finished_total{kind=\"Buzz\",state=\"Completed\"}", 1);
        var text = await Instance.Client.GetStringAsync("/metrics", Cancel);

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
            using var answer = await Instance.Client.SendAsync(request, Cancel);
            Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        }
    }
}
