using System.Net;
using Hangfire;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Api;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Hosting;

/// <summary>What an instance does and does not in each role. Here on the embedded store, which only tests let it be alone on.</summary>
public sealed class RoleTests
{
    [Fact]
    public async Task ApiTakesTasksAndRunsNone()
    {
        await using var app = await StartAsync(InstanceRole.Api);

        var task = await app.PostTaskAsync("Fizz", ApiFixture.Now);

        Assert.Equal("Pending", task.GetProperty("state").GetString());
        Assert.Empty(app.Get<JobStorage>().GetMonitoringApi().Servers());
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(app, "/hangfire")).Status);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(app, "/")).Status);
    }

    [Fact]
    public async Task ApiIsReadyWithoutAWorker()
    {
        await using var app = await StartAsync(InstanceRole.Api);

        var answer = await GetAsync(app, "/health/ready");

        Assert.Equal((HttpStatusCode.OK, "Healthy"), (answer.Status, answer.Text));
    }

    [Fact]
    public async Task WorkerRunsTasks()
    {
        await using var app = await StartAsync(InstanceRole.Worker);

        var task = await app.CreateAsync(TaskKind.Fizz, ApiFixture.Now);

        await app.WaitForAsync(task.Id, ScheduledTaskState.Completed);
        await Eventually.TrueAsync(
            async () => (await GetAsync(app, "/health/ready")).Status == HttpStatusCode.OK, "the worker is ready");
        Assert.Single(app.Get<JobStorage>().GetMonitoringApi().Servers());
    }

    [Theory]
    [InlineData(InstanceRole.Worker)]
    [InlineData(InstanceRole.Api)]
    public async Task EveryRoleTellsItsMetrics(InstanceRole role)
    {
        await using var app = await StartAsync(role);

        var answer = await GetAsync(app, "/metrics");

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Contains("taskscheduler_tasks{", answer.Text);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/tasks")]
    [InlineData("/hangfire")]
    [InlineData("/hangfire/jobs/scheduled")]
    [InlineData("/docs")]
    [InlineData("/docs/index.html")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/problems/not-found")]
    [InlineData("/nowhere")]
    public async Task WorkerHasNothingElse(string path)
    {
        await using var app = await StartAsync(InstanceRole.Worker, "--Security:ApiKeys:web=the-key-of-the-web-shop");

        (await GetAsync(app, path)).Problem(HttpStatusCode.NotFound, "not-found");
    }

    private static Task<TestApplication> StartAsync(InstanceRole role, params string[] settings) =>
        TestApplication.StartAsync<PostgreSqlTestStore>(
            services => services.AddSingleton<TaskWork>((kind, id, _) => Task.FromResult(kind.Definition().OutputOf(id))),
            [$"--Instance:Role={role}", .. settings]);

    private static async Task<Answer> GetAsync(TestApplication app, string path)
    {
        using var response = await app.Client.GetAsync(path, TestContext.Current.CancellationToken);
        return await Answer.ReadAsync(response);
    }
}
