using Hangfire;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Maintenance;
using TaskScheduler.Jobs.Projection;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>
/// One instance's domain on a real database and Hangfire's own storage, with no loop running and the clock standing still:
/// a test takes every step itself.
/// </summary>
public sealed class JobsAtRest : IAsyncDisposable
{
    private const int MaxClaim = 1_000;

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

    /// <summary>Many rows at once.</summary>
    public async Task<IReadOnlyList<ScheduledTask>> AddAsync(params IEnumerable<DateTimeOffset> executeAt)
    {
        var tasks = executeAt.Select(time => ScheduledTask.Create(TaskKind.Fizz, time, Now, Guid.NewGuid())).ToList();
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

    /// <summary>Claims what is due, as the worker does, and returns those of these tasks that it started; all if none are named.</summary>
    public async Task<IReadOnlyList<ScheduledTask>> ClaimAsync(params IEnumerable<ScheduledTask> tasks)
    {
        await BeatAsync();
        return Of(tasks, await Get<TaskClaimer>().ClaimAsync(MaxClaim, TestContext.Current.CancellationToken));
    }

    /// <summary>The same with what runs on instances that are gone.</summary>
    public async Task<IReadOnlyList<ScheduledTask>> TakeOverAsync(params IEnumerable<ScheduledTask> tasks)
    {
        await BeatAsync();
        return Of(tasks, await Get<TaskClaimer>().TakeOverAsync(MaxClaim, TestContext.Current.CancellationToken));
    }

    /// <summary>Ends attempts as their work does, all at once.</summary>
    public Task CompleteAsync(params IEnumerable<ScheduledTask> attempts) =>
        RecordAsync(attempts.Select(task => new Outcome(new RunningTask(task), task.Kind.Definition().OutputOf(task.Id), null)));

    public Task FailAsync(ScheduledTask attempt, string error) =>
        RecordAsync([new Outcome(new RunningTask(attempt), null, new IOException(error))]);

    public Task GiveBackAsync(params IEnumerable<ScheduledTask> attempts) =>
        RecordAsync(attempts.Select(task =>
        {
            var attempt = new RunningTask(task);
            attempt.Stop(giveBack: true);
            return new Outcome(attempt, null, null);
        }));

    /// <summary>Shows in Hangfire what changed so far.</summary>
    public async Task ShowAsync()
    {
        while (await Get<JobProjector>().ShowAsync(MaxClaim, TestContext.Current.CancellationToken) > 0)
        {
        }
    }

    /// <summary>The tasks that Hangfire does not show as they are.</summary>
    public async Task<IReadOnlyList<Guid>> NotShownAsync() => [.. (await RowsAsync()).Where(row => !row.IsShown).Select(row => row.Id)];

    /// <summary>Looks once through a part of what Hangfire shows.</summary>
    public Task AuditAsync() => Get<JobAudit>().RunOnceAsync(TestContext.Current.CancellationToken);

    /// <summary>The names of the states that the task's job has been in, oldest first.</summary>
    public async Task<IEnumerable<string>> HistoryAsync(ScheduledTask task) =>
        Get<JobStorage>().HistoryOf((await FindAsync(task.Id)).JobId!).Select(state => state.StateName);

    /// <summary>What Hangfire shows of the task; null if it shows nothing.</summary>
    public async Task<string?> JobStateAsync(ScheduledTask task) =>
        (await FindAsync(task.Id)).JobId is { } jobId ? Get<JobStorage>().StateOf(jobId) : null;

    /// <summary>Sets how many tries the task has behind it.</summary>
    public async Task SetTriesAsync(ScheduledTask task, int tries)
    {
        await using var db = await OpenTableAsync();
        await db.Tasks.Where(t => t.Id == task.Id)
            .ExecuteUpdateAsync(set => set.SetProperty(t => t.Tries, tries), TestContext.Current.CancellationToken);
    }

    /// <summary>Sets by when the task must start, whether or not it has.</summary>
    public async Task SetStartByAsync(ScheduledTask task, DateTimeOffset time)
    {
        await using var db = await OpenTableAsync();
        await db.Tasks.Where(t => t.Id == task.Id)
            .ExecuteUpdateAsync(set => set.SetProperty(t => t.StartBy, time), TestContext.Current.CancellationToken);
    }

    /// <summary>Creates a task and brings it into the state as the product does.</summary>
    public async Task<ScheduledTask> CreateInAsync(ScheduledTaskState state)
    {
        var cancel = TestContext.Current.CancellationToken;
        var task = await CreateAsync();
        if (state is ScheduledTaskState.Failed)
            await SetTriesAsync(task, LastTry);
        if (state is ScheduledTaskState.Running or ScheduledTaskState.Completed or ScheduledTaskState.Failed)
        {
            var claimed = Assert.Single(await ClaimAsync(task));
            if (state is ScheduledTaskState.Completed)
                await CompleteAsync(claimed);
            if (state is ScheduledTaskState.Failed)
                await FailAsync(claimed, "Full");
        }

        if (state is ScheduledTaskState.Expired)
        {
            await SetStartByAsync(task, Now);
            await Get<TaskExpirer>().ExpireAsync(cancel);
        }

        if (state is ScheduledTaskState.Deleted)
            await Get<TaskClient>().DeleteAsync(task.Id, cancel);
        var created = await FindAsync(task.Id);
        Assert.Equal(state, created.State);
        return created;
    }

    private static IReadOnlyList<ScheduledTask> Of(IEnumerable<ScheduledTask> tasks, IReadOnlyList<ScheduledTask> started)
    {
        var ids = tasks.Select(task => task.Id).ToHashSet();
        return ids.Count == 0 ? started : [.. started.Where(task => ids.Contains(task.Id))];
    }

    private async Task RecordAsync(IEnumerable<Outcome> outcomes)
    {
        var ended = outcomes.ToList();
        await Get<TaskCompleter>().RecordAsync(ended, TestContext.Current.CancellationToken);
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
