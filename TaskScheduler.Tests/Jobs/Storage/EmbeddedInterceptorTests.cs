using TaskScheduler.Jobs.Storage;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Storage;

/// <summary>The storage file goes while something is on its way into it.</summary>
public sealed class EmbeddedInterceptorTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private JobsAtRest _jobs = null!;

    private string StorageFile => _folder.File("tasks.db");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _jobs = await JobsAtRest.OpenAsync(new EmbeddedTestStore(StorageFile));

    public async ValueTask DisposeAsync()
    {
        await _jobs.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task WriterThatWaitsForItsTurnIsRefused()
    {
        Task<ScheduledTask> creation;
        await using (var table = await _jobs.OpenTableAsync())
        {
            await using var transaction = await table.Database.BeginTransactionAsync(Cancel);
            creation = _jobs.CreateAsync();
            Assert.False(creation.IsCompleted);
            File.Delete(StorageFile);
        }

        await Assert.ThrowsAsync<StorageUnavailableException>(() => creation);
    }

    [Fact]
    public async Task CommitIsNotAnsweredAsDone()
    {
        await using var table = await _jobs.OpenTableAsync();
        await using var transaction = await table.Database.BeginTransactionAsync(Cancel);
        File.Delete(StorageFile);

        await Assert.ThrowsAsync<StorageUnavailableException>(() => transaction.CommitAsync(Cancel));
    }

    [Fact]
    public async Task LossIsToldToTheHostOnceAndForGood()
    {
        var lost = _jobs.Get<ITaskStore>().Lost;
        var told = 0;
        await using var registration = lost.Register(() => Interlocked.Increment(ref told));
        File.Move(StorageFile, _folder.File("kept"));
        await Assert.ThrowsAsync<StorageUnavailableException>(() => _jobs.CreateAsync());
        File.Move(_folder.File("kept"), StorageFile);
        await Assert.ThrowsAsync<StorageUnavailableException>(() => _jobs.CreateAsync());

        await Eventually.TrueAsync(() => Volatile.Read(ref told) > 0, "the host is told");

        Assert.Equal(1, told);
    }
}
