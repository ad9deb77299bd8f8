using Hangfire;
using Hangfire.States;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>
/// One instance's domain on a real database and Hangfire's own storage, with no loop running and the clock standing still:
/// a test takes every step itself.
/// </summary>
public sealed class JobsAtRest : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly ITestStore _store;
    private readonly string[] _address;

    private JobsAtRest(ITestStore store, string[] address, Action<IServiceCollection>? replace, string[] settings)
    {
        (_store, _address) = (store, address);
        var services = Composition.For([.. address, .. settings]);
        services.AddSingleton<TimeProvider>(_ => Clock);
        services.AddSingleton<Func<Stream>>(() => Output);
        store.Prepare(services);
        replace?.Invoke(services);
        _services = services.BuildServiceProvider();
    }

    /// <summary>A whole second near the real time, which Hangfire writes whatever our clock says.</summary>
    public static DateTimeOffset Start { get; } =
        DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());

    public FakeTimeProvider Clock { get; private init; } = new(Start);

    public CapturedOutput Output { get; } = new();

    /// <summary>How many tries a task has behind it that fails with the next.</summary>
    public int LastTry => Get<IOptions<ExecutionOptions>>().Value.MaxTries - 1;

    public DateTimeOffset Now => Clock.GetUtcNow();

    /// <summary>The database, if it goes with this instance.</summary>
    private ITestStore? Owned { get; init; }

    /// <summary>Opens a new, empty database.</summary>
    public static Task<JobsAtRest> OpenAsync<TStore>(Action<IServiceCollection>? replace = null, params string[] settings)
        where TStore : ITestStore, new() => OpenAsync(new TStore(), owned: true, replace, settings);

    /// <summary>Opens a database that the test removes itself.</summary>
    public static Task<JobsAtRest> OpenAsync(
        ITestStore store, Action<IServiceCollection>? replace = null, params string[] settings) =>
        OpenAsync(store, owned: false, replace, settings);

    /// <summary>An instance that has not opened its store yet, on a database that is empty if it is new.</summary>
    public static async Task<JobsAtRest> BuildAsync(
        ITestStore store, Action<IServiceCollection>? replace = null, params string[] settings) =>
        new(store, await store.CreateAsync(migrated: false), replace, settings);

    /// <summary>A second instance on the same table, the same jobs and the same clock.</summary>
    public JobsAtRest Another(params string[] settings) =>
        new(
            _store,
            _address,
            services =>
            {
                if (_store.KeepsJobsInMemory)
                    services.AddSingleton(Get<JobStorage>());
            },
            [.. settings, "--Instance:Name=another"])
        { Clock = Clock };

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public async Task<TaskDbContext> OpenTableAsync() =>
        await Get<IDbContextFactory<TaskDbContext>>().CreateDbContextAsync(TestContext.Current.CancellationToken);

    public Task<ScheduledTask> CreateAsync(DateTimeOffset? executeAt = null, TaskKind kind = TaskKind.Fizz) =>
        Get<TaskCreator>().CreateAsync(kind, executeAt ?? Now, TestContext.Current.CancellationToken);

    /// <summary>Many rows at once; without jobs, as if these were lost.</summary>
    public async Task<IReadOnlyList<ScheduledTask>> AddAsync(IEnumerable<DateTimeOffset> executeAt, bool withJobs)
    {
        var tasks = executeAt
            .Select(time => (Time: time, Id: Guid.NewGuid()))
            .Select(t => ScheduledTask.Create(
                TaskKind.Fizz, t.Time, Now, withJobs ? Get<TaskJobs>().Create(t.Id) : null, t.Id))
            .ToList();
        await using var db = await OpenTableAsync();
        db.Tasks.AddRange(tasks);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        return tasks;
    }

    public async Task<List<ScheduledTask>> RowsAsync()
    {
        await using var db = await OpenTableAsync();
        return await db.Tasks.AsNoTracking()
            .OrderBy(t => t.Sequence)
            .ToListAsync(TestContext.Current.CancellationToken);
    }

    public async Task<ScheduledTask> FindAsync(Guid id) =>
        await Get<TaskClient>().FindAsync(id, TestContext.Current.CancellationToken)
        ?? throw new InvalidOperationException($"There is no task {id}.");

    public async Task<IReadOnlyDictionary<string, object?>> ColumnsAsync(Guid id)
    {
        await using var db = await OpenTableAsync();
        var row = await db.Tasks.SingleAsync(t => t.Id == id, TestContext.Current.CancellationToken);
        return db.Entry(row).Properties.ToDictionary(column => column.Metadata.Name, column => column.CurrentValue);
    }

    /// <summary>Beats for this instance, so that what it runs counts as alive.</summary>
    public Task BeatAsync() => Get<InstanceHeartbeat>().BeatAsync(TimeSpan.Zero, TestContext.Current.CancellationToken);

    public async Task<IReadOnlyList<ClaimedTask>> ClaimAsync(params IEnumerable<ScheduledTask> tasks)
    {
        await BeatAsync();
        var deliveries = new List<Delivery>();
        foreach (var task in tasks)
            deliveries.Add(task.Delivered() with { Attempt = (await FindAsync(task.Id)).Attempt });
        return await Get<TaskClaimer>()
            .ClaimAsync(deliveries, Guid.NewGuid(), TestContext.Current.CancellationToken);
    }

    public Task CompleteAsync(params IEnumerable<ClaimedTask> tasks) =>
        Get<TaskCompleter>()
            .CompleteAsync([.. tasks.Select(task => task.Finished())], TestContext.Current.CancellationToken);

    /// <summary>Applies what was reported to Hangfire so far.</summary>
    public Task ReportAsync() => Get<JobReporter>().RunAsync(new CancellationToken(canceled: true));

    /// <summary>A job of the task that its row does not name.</summary>
    public string CreateSpareJob(ScheduledTask task, IState state)
    {
        var jobId = Get<TaskJobs>().Create(task.Id);
        Get<TaskJobs>().ApplyFirst([new JobStateChange(jobId, task.Id, task.CreatedAt, state)]);
        return jobId;
    }

    public void ChangeJob(string jobId, IState state) =>
        Assert.True(new BackgroundJobClient(Get<JobStorage>()).ChangeState(jobId, state));

    public string? JobState(string? jobId) => Get<JobStorage>().StateOf(jobId!);

    /// <summary>Creates a task and brings it into the state as the product does.</summary>
    public async Task<ScheduledTask> CreateInAsync(ScheduledTaskState state)
    {
        var cancel = TestContext.Current.CancellationToken;
        var task = await CreateAsync();
        if (state is ScheduledTaskState.Running or ScheduledTaskState.Completed or ScheduledTaskState.Failed)
        {
            var claimed = Assert.Single(await ClaimAsync(task));
            if (state is ScheduledTaskState.Completed)
                await CompleteAsync(claimed);
            if (state is ScheduledTaskState.Failed)
                await Get<TaskCompleter>().FailAsync(claimed with { Tries = LastTry }, new IOException("Full"), cancel);
        }

        if (state is ScheduledTaskState.Deleted)
            await Get<TaskClient>().DeleteAsync(task.Id, cancel);
        var created = await FindAsync(task.Id);
        Assert.Equal(state, created.State);
        return created;
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        if (Owned is not null)
            await Owned.DisposeAsync();
    }

    private static async Task<JobsAtRest> OpenAsync(
        ITestStore store, bool owned, Action<IServiceCollection>? replace, string[] settings)
    {
        var jobs = new JobsAtRest(store, await store.CreateAsync(), replace, settings) { Owned = owned ? store : null };
        try
        {
            await jobs.Get<ITaskStore>().OpenAsync(TestContext.Current.CancellationToken);
            return jobs;
        }
        catch
        {
            await jobs.DisposeAsync();
            throw;
        }
    }
}
