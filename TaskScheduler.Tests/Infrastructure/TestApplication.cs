using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TaskScheduler.Api.Hosting;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>
/// The whole application in this process: the production composition root, a real web server on a free port, a real
/// database. Only the clock, the task's work and standard output can be replaced.
/// </summary>
public sealed class TestApplication : IAsyncDisposable
{
    /// <summary>Hangfire keeps the last logger factory for the whole process, so it must outlive every application.</summary>
    private static readonly ILoggerFactory Logs = LoggerFactory.Create(_ => { });

    private readonly WebApplication _app;
    private readonly ITestStore? _owned;

    private TestApplication(WebApplication app, CapturedOutput output, ITestStore? owned)
    {
        _app = app;
        _owned = owned;
        Output = output;
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
    }

    public HttpClient Client { get; }

    public CapturedOutput Output { get; }

    public IServiceProvider Services => _app.Services;

    /// <summary>Starts an application on a new, empty database, or on one that the test removes itself.</summary>
    public static Task<TestApplication> StartAsync(
        Action<IServiceCollection>? services = null, ITestStore? store = null, params string[] settings) =>
        store is null
            ? StartAsync<EmbeddedTestStore>(services, settings)
            : StartAsync(services, store, owned: false, settings);

    /// <summary>Starts an application on a new, empty database of that kind.</summary>
    public static Task<TestApplication> StartAsync<TStore>(Action<IServiceCollection>? services = null, params string[] settings)
        where TStore : ITestStore, new() => StartAsync(services, new TStore(), owned: true, settings);

    public T Get<T>()
        where T : notnull => Services.GetRequiredService<T>();

    public Task<ScheduledTask> CreateAsync(TaskKind kind, DateTimeOffset executeAt) =>
        Get<TaskCreator>().CreateAsync(kind, executeAt, TestContext.Current.CancellationToken);

    /// <summary>Creates a task and waits until its job is on the dashboard.</summary>
    public async Task<ScheduledTask> CreateShownAsync(TaskKind kind, DateTimeOffset executeAt)
    {
        var task = await CreateAsync(kind, executeAt);
        return await Eventually.GetAsync(
            async () => await FindAsync(task.Id) is { IsShown: true } shown ? shown : null, $"task {task.Id} is shown");
    }

    public async Task<ScheduledTask> FindAsync(Guid id) =>
        await Get<TaskClient>().FindAsync(id, TestContext.Current.CancellationToken)
        ?? throw new InvalidOperationException($"There is no task {id}.");

    /// <summary>Waits until the task is in the state.</summary>
    public Task<ScheduledTask> WaitForAsync(Guid id, ScheduledTaskState state, TimeSpan? within = null) =>
        Eventually.GetAsync(
            async () => await FindAsync(id) is var task && task.State == state ? task : null, $"task {id} becomes {state}", within);

    public async Task<TaskDbContext> OpenTableAsync() =>
        await Get<IDbContextFactory<TaskDbContext>>().CreateDbContextAsync(TestContext.Current.CancellationToken);

    public Task<HttpResponseMessage> PostAsync(string path, string json) =>
        Client.PostAsync(path, new StringContent(json, null, "application/json"), TestContext.Current.CancellationToken);

    /// <summary>Creates a task over HTTP and returns the answer.</summary>
    public async Task<JsonElement> PostTaskAsync(string kind, DateTimeOffset executeAt)
    {
        using var response = await Client.PostAsJsonAsync("/tasks", new { kind, executeAt }, TestContext.Current.CancellationToken);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
    }

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
        if (_owned is not null)
            await _owned.DisposeAsync();
    }

    private static async Task<TestApplication> StartAsync(
        Action<IServiceCollection>? services, ITestStore store, bool owned, string[] settings)
    {
        var builder = WebApplication.CreateBuilder(["--urls=http://127.0.0.1:0", .. await store.CreateAsync(), .. settings]);
        builder.AddTaskScheduler();
        var output = new CapturedOutput();
        builder.Services.AddSingleton<Func<Stream>>(() => output);
        builder.Services.AddSingleton(Logs);
        store.Prepare(builder.Services);
        services?.Invoke(builder.Services);
        var app = builder.Build();
        app.UseTaskScheduler();
        await app.StartAsync();
        return new TestApplication(app, output, owned ? store : null);
    }
}
