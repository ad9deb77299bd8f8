using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Storage;

public sealed class WriterTurnsTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private JobsAtRest _jobs = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _jobs = await JobsAtRest.OpenAsync(new EmbeddedTestStore(_folder.File("tasks.db")));

    public async ValueTask DisposeAsync()
    {
        await _jobs.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>Left to SQLite, a writer that finds it busy sleeps while others pass by.</summary>
    [Fact]
    public async Task WritersTakeTheirTurnsInTheOrderInWhichTheyCame()
    {
        var ids = Enumerable.Range(0, 20).Select(_ => Guid.NewGuid()).ToList();
        List<Task> writers;
        await using (var table = await OpenAsync())
        {
            await using var transaction = await table.Database.BeginTransactionAsync(Cancel);
            writers = [.. ids.Select(InsertAsync)];
            Assert.DoesNotContain(writers, writer => writer.IsCompleted);
        }

        await Task.WhenAll(writers).WaitAsync(Eventually.Deadline, Cancel);

        Assert.Equal(ids, (await _jobs.RowsAsync()).Select(row => row.Id));
    }

    /// <summary>Behind eight batches of a thousand tasks they would be seconds late.</summary>
    [Fact]
    public async Task ClaimsCompletionsAndHeartbeatsGoFirst()
    {
        var ended = new List<string>();
        List<Task> writers;
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Running);
        // The first one inserts.
        await _jobs.Get<InstanceHeartbeat>().BeatAsync(TimeSpan.Zero, Cancel);
        await using (var table = await OpenAsync())
        {
            await using var transaction = await table.Database.BeginTransactionAsync(Cancel);
            writers =
            [
                .. Enumerable.Range(0, 20).Select(_ => NoteAsync("creation", InsertAsync(Guid.NewGuid()))),
                NoteAsync("claim", _jobs.Get<TaskClaimer>().ClaimAsync(1, Cancel)),
                NoteAsync("completion", _jobs.CompleteAsync(task)),
                NoteAsync("heartbeat", _jobs.Get<InstanceHeartbeat>().BeatAsync(TimeSpan.Zero, Cancel)),
            ];
            Assert.DoesNotContain(writers, writer => writer.IsCompleted);
        }

        await Task.WhenAll(writers).WaitAsync(Eventually.Deadline, Cancel);

        Assert.Equal("creation", ended[^1]);

        async Task NoteAsync(string name, Task write)
        {
            await write;
            lock (ended)
                ended.Add(name);
        }
    }

    [Fact]
    public async Task WriterThatGivesUpAsItsTurnComesPassesItOn()
    {
        for (var i = 0; i < 200; i++)
        {
            using var givesUp = new CancellationTokenSource();
            Task waiting;
            await using (var table = await OpenAsync())
            {
                await using var transaction = await table.Database.BeginTransactionAsync(Cancel);
                await using var other = await OpenAsync();
                waiting = Task.Run(() => other.Instances.ExecuteDeleteAsync(givesUp.Token), Cancel);
                await transaction.RollbackAsync(Cancel);
                await Task.WhenAll(table.Database.CloseConnectionAsync(), givesUp.CancelAsync());
                await waiting.ContinueWith(_ => { }, Cancel, TaskContinuationOptions.None, System.Threading.Tasks.TaskScheduler.Default);
            }

            await WriteAsync().WaitAsync(Eventually.Deadline, Cancel);
        }
    }

    [Fact]
    public async Task ReadersAndWritersThatGiveUpTakeNoTurn()
    {
        await using var table = await OpenAsync();
        await using (var transaction = await table.Database.BeginTransactionAsync(Cancel))
        {
            await using var other = await OpenAsync();
            Assert.Empty(await other.Tasks.ToListAsync(Cancel));
            using var givesUp = new CancellationTokenSource();
            var waiting = other.Instances.ExecuteDeleteAsync(givesUp.Token);
            await givesUp.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        }

        await WriteAsync().WaitAsync(Eventually.Deadline, Cancel);
    }

    /// <summary>EF does not know then that it opened the connection, and tells no interceptor when it closes it.</summary>
    [Fact]
    public async Task CreationThatGivesUpBeforeItsTransactionBeginsKeepsNoTurn()
    {
        NewTask[] request = [new(TaskKind.Fizz, TimeProvider.System.GetUtcNow())];
        await using (var table = await OpenAsync())
        {
            await using var transaction = await table.Database.BeginTransactionAsync(Cancel);
            using var givesUp = new CancellationTokenSource();
            var creation = _jobs.Get<TaskCreator>().CreateAsync(
                request, IdempotencyKey.Of("", "key", "call", request), givesUp.Token);
            Assert.False(creation.IsCompleted);
            await givesUp.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => creation);
        }

        await WriteManyAsync().WaitAsync(Eventually.Deadline, Cancel);

        async Task WriteManyAsync()
        {
            for (var i = 0; i < 40; i++)
                await WriteAsync();
        }
    }

    [Fact]
    public async Task WriteThatFailsEndsItsTurn()
    {
        await using (var table = await OpenAsync())
        {
            await Assert.ThrowsAsync<SqliteException>(
                () => table.Database.ExecuteSqlRawAsync("DELETE FROM Nothing", Cancel));
        }

        await WriteAsync().WaitAsync(Eventually.Deadline, Cancel);
    }

    private Task<TaskDbContext> OpenAsync() => _jobs.Get<IDbContextFactory<TaskDbContext>>().CreateDbContextAsync(Cancel);

    private async Task InsertAsync(Guid id)
    {
        var now = TimeProvider.System.GetUtcNow();
        await using var table = await OpenAsync();
        table.Tasks.Add(ScheduledTask.Create(TaskKind.Fizz, now, now, id));
        await table.SaveChangesAsync(Cancel);
    }

    private async Task WriteAsync()
    {
        await using var table = await OpenAsync();
        await table.Instances.ExecuteDeleteAsync(Cancel);
    }
}
