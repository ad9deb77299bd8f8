using System.Net;
using Hangfire;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Api;
using TaskScheduler.Tests.Api.Security;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Hosting;

/// <summary>What an instance does and does not in each role.</summary>
public sealed class RoleTests(RoleTests.ApiInstance api, RoleTests.WorkerInstance worker)
    : IClassFixture<RoleTests.ApiInstance>, IClassFixture<RoleTests.WorkerInstance>
{
    [Fact]
    public async Task ApiTakesTasksAndRunsNone()
    {
        var task = await api.App.PostTaskAsync("Fizz", ApiFixture.Now);

        Assert.Equal("Pending", task.GetProperty("state").GetString());
        Assert.Empty(api.App.Get<JobStorage>().GetMonitoringApi().Servers());
        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync("/hangfire")).Status);
        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync("/")).Status);
    }

    [Fact]
    public async Task ApiIsReadyWithoutAWorker()
    {
        var answer = await api.GetAsync("/health/ready");

        Assert.Equal((HttpStatusCode.OK, "Healthy"), (answer.Status, answer.Text));
    }

    [Fact]
    public async Task WorkerRunsTasks()
    {
        var task = await worker.App.CreateAsync(TaskKind.Fizz, ApiFixture.Now);

        await worker.App.WaitForAsync(task.Id, ScheduledTaskState.Completed);
        await Eventually.TrueAsync(
            async () => (await worker.GetAsync("/health/ready")).Status == HttpStatusCode.OK, "the worker is ready");
        Assert.Single(worker.App.Get<JobStorage>().GetMonitoringApi().Servers());
    }

    [Theory]
    [InlineData(InstanceRole.Worker)]
    [InlineData(InstanceRole.Api)]
    public async Task EveryRoleTellsItsMetrics(InstanceRole role)
    {
        var app = role == InstanceRole.Worker ? worker.App : api.App;

        var answer = await app.GetAsync("/metrics", Credentials.WithKey(Credentials.Key));

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
        (await worker.GetAsync(path)).Problem(HttpStatusCode.NotFound, "not-found");
    }

    public sealed class ApiInstance() : Instance(InstanceRole.Api);

    /// <summary>With a key, which no caller needs to be told that there is nothing here.</summary>
    public sealed class WorkerInstance() : Instance(InstanceRole.Worker, Credentials.WebKey);

    public abstract class Instance(InstanceRole role, params string[] settings) : ApiFixture
    {
        protected override Task<TestApplication> MakeAsync() => TestApplication.StartAsync<PostgreSqlTestStore>(
            services => services.AddSingleton<TaskWork>((kind, id, _) => Task.FromResult(kind.Definition().OutputOf(id))),
            [$"--Instance:Role={role}", .. settings]);
    }
}
