using Hangfire;
using Hangfire.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Maintenance;
using TaskScheduler.Jobs.Projection;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Projection;

/// <summary>
/// Two instances show the same new row, because the first was frozen or their clocks differ, and the storage's transactions
/// are its own.
/// </summary>
public abstract class OvertakenProjectorTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private readonly TStore _store = new();
    private readonly Freeze _freeze = new();
    private JobsAtRest _jobs = null!;
    private JobsAtRest _another = null!;

    public async ValueTask InitializeAsync()
    {
        _jobs = await JobsAtRest.OpenAsync(
            _store,
            services => services.AddSingleton<JobWriter>(provider => ActivatorUtilities.CreateInstance<FrozenWriter>(provider, _freeze)));
        _another = _jobs.Another();
    }

    public async ValueTask DisposeAsync()
    {
        _freeze.Thawed.Set();
        if (_jobs is not null)
        {
            await _another.DisposeAsync();
            await _jobs.DisposeAsync();
        }

        await _store.DisposeAsync();
        _freeze.Thawed.Dispose();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task TaskKeepsOneJobWhenTheFirstGoesOn(bool rowNamesItsJob, bool isDeletedMeanwhile)
    {
        var task = await _jobs.CreateAsync(_jobs.Now.AddHours(1));
        _freeze.AtStates = rowNamesItsJob;
        var frozen = _jobs.ShowAsync();
        await _freeze.Reached.Task;
        // On a store where one instance is chosen, the frozen one is not any more.
        await _jobs.Get<InstanceHeartbeat>().LeaveAsync();
        await _another.BeatAsync();
        await _another.ShowAsync();
        Assert.Equal("Scheduled", await _jobs.JobStateAsync(task));
        if (isDeletedMeanwhile)
        {
            await _another.Get<TaskClient>().DeleteAsync(task.Id, TestContext.Current.CancellationToken);
            await _another.ShowAsync();
        }

        _freeze.Thawed.Set();
        await frozen;
        await _another.ShowAsync();

        Assert.Empty(await _jobs.NotShownAsync());
        Assert.Equal(isDeletedMeanwhile ? "Deleted" : "Scheduled", await _jobs.JobStateAsync(task));
        Assert.Equal(1, _jobs.Get<JobStorage>().CountShown());
    }

    /// <summary>Where an instance is frozen: before it makes a job, or before it gives the job a state.</summary>
    private sealed class Freeze
    {
        public bool AtStates { get; set; }

        public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ManualResetEventSlim Thawed { get; } = new();

        public void ComeTo(bool states)
        {
            if (states != AtStates)
                return;
            Reached.TrySetResult();
            Thawed.Wait();
        }
    }

    private sealed class FrozenWriter(JobStorage storage, TimeProvider clock, IOptions<RetentionOptions> retention, Freeze freeze)
        : JobWriter(storage, clock, retention)
    {
        protected override IReadOnlyDictionary<Guid, string> Create(IReadOnlyCollection<ScheduledTask> rows)
        {
            freeze.ComeTo(states: false);
            return base.Create(rows);
        }

        protected override JobStorageTransaction CreateTransaction(IStorageConnection connection)
        {
            freeze.ComeTo(states: true);
            return base.CreateTransaction(connection);
        }
    }
}
