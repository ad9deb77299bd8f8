using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Maintenance;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Tasks;

/// <summary>All of a request or none of it, with its key or without.</summary>
public abstract class TaskCreatorTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private const string Call = "POST /tasks/batch";

    private readonly NewTask[] _request =
        [.. Enumerable.Range(1, 5).Select(i => new NewTask(TaskKind.Fizz, JobsAtRest.Start.AddMinutes(i)))];

    private readonly BrokenCommand _break = new();
    private JobsAtRest _jobs = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IdempotencyKey Key => IdempotencyKey.Of("web", "a key", Call, _request);

    public async ValueTask InitializeAsync() =>
        _jobs = await JobsAtRest.OpenAsync<TStore>(services => services.AddSingleton<IInterceptor>(_break));

    public ValueTask DisposeAsync() => _jobs.DisposeAsync();

    [Fact]
    public async Task RowsAreWhatTheAnswerSaysInItsOrder()
    {
        var creation = await CreateAsync(key: null);

        var rows = await _jobs.RowsAsync();
        Assert.Equal(_request.Select(task => task.ExecuteAt), rows.Select(row => row.DueAt));
        Assert.Equal(
            creation.Tasks.Select(task => (task.Id, task.Kind, task.State, task.ExecuteAt, task.DueAt, task.CreatedAt, task.Version, task.IsShown)),
            rows.Select(task => (task.Id, task.Kind, task.State, task.ExecuteAt, task.DueAt, task.CreatedAt, task.Version, task.IsShown)));
    }

    [Fact]
    public async Task RequestWhoseKeyIsTakenCreatesNothing()
    {
        var first = await CreateAsync(Key);
        NewTask[] other = [new(TaskKind.Buzz, JobsAtRest.Start)];

        var refused = await _jobs.Get<TaskCreator>().CreateAsync(other, IdempotencyKey.Of("web", "a key", Call, other), Cancel);

        Assert.Equal((CreationOutcome.KeyReused, 0), (refused.Outcome, refused.Tasks.Count));
        Assert.Equal(first.Tasks.Select(task => task.Id), (await _jobs.RowsAsync()).Select(row => row.Id));
    }

    /// <summary>As if the process died between the two: nothing of either is left, and the repetition creates all.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CrashBetweenKeyAndTasksLeavesNeither(bool beforeTheKey)
    {
        _break.At(beforeTheKey ? "IdempotencyKeys" : "Tasks");
        await Assert.ThrowsAnyAsync<Exception>(() => CreateAsync(Key));
        Assert.Empty(await _jobs.RowsAsync());
        await using (var db = await _jobs.OpenTableAsync())
            Assert.False(await db.IdempotencyKeys.AnyAsync(Cancel));

        _break.At(null);
        var creation = await CreateAsync(Key);

        Assert.Equal((CreationOutcome.Created, 5), (creation.Outcome, creation.Tasks.Count));
        Assert.Equal(creation.Tasks.Select(task => task.Id), (await _jobs.RowsAsync()).Select(row => row.Id));
    }

    [Fact]
    public async Task OneOfTwoInstancesCreatesAndTheOtherReplays()
    {
        await using var another = _jobs.Another();
        var creators = new[] { _jobs, another, _jobs, another, _jobs, another };

        var creations = await Task.WhenAll(creators.Select(
            jobs => Task.Run(() => jobs.Get<TaskCreator>().CreateAsync(_request, Key, Cancel), Cancel)));

        var created = Assert.Single(creations, creation => creation.Outcome == CreationOutcome.Created);
        Assert.All(
            creations.Where(creation => creation.Outcome == CreationOutcome.Replayed),
            replay => Assert.Equal(created.Tasks.Select(task => task.Id), replay.Tasks.Select(task => task.Id)));
        Assert.Equal(created.Tasks.Select(task => task.Id), (await _jobs.RowsAsync()).Select(row => row.Id));
        Assert.DoesNotContain(creations, creation => creation.Outcome == CreationOutcome.KeyReused);
    }

    [Fact]
    public async Task CallersDoNotMeetEachOthersKeys()
    {
        await CreateAsync(Key);

        var other = await CreateAsync(IdempotencyKey.Of("warehouse", "a key", Call, _request));
        var similar = await CreateAsync(IdempotencyKey.Of("we", "ba key", Call, _request));

        Assert.Equal((CreationOutcome.Created, CreationOutcome.Created), (other.Outcome, similar.Outcome));
        Assert.Equal(15, (await _jobs.RowsAsync()).Count);
    }

    [Fact]
    public async Task KeyIsKeptForADayAndThenRemoved()
    {
        await CreateAsync(Key);
        _jobs.Clock.Advance(TimeSpan.FromDays(1));
        await CleanAsync();
        Assert.Equal(CreationOutcome.Replayed, (await CreateAsync(Key)).Outcome);

        _jobs.Clock.Advance(TimeSpan.FromMilliseconds(1));
        await CleanAsync();

        Assert.Equal(CreationOutcome.Created, (await CreateAsync(Key)).Outcome);
    }

    [Fact]
    public async Task NothingOfWhatTheClientSentIsKept()
    {
        await CreateAsync(IdempotencyKey.Of("web", "a secret of the client", Call, _request));

        await using var db = await _jobs.OpenTableAsync();
        var key = await db.IdempotencyKeys.SingleAsync(Cancel);
        Assert.Matches("^[0-9a-f]{64}$", key.Id);
        Assert.Matches("^[0-9a-f]{64}$", key.Request);
    }

    private Task<Creation> CreateAsync(IdempotencyKey? key) => _jobs.Get<TaskCreator>().CreateAsync(_request, key, Cancel);

    private Task<TimeSpan> CleanAsync() => _jobs.Get<TaskCleaner>().RunOnceAsync(Cancel);
}
