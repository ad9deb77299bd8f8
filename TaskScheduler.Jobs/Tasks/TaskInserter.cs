namespace TaskScheduler.Jobs.Tasks;

/// <summary>
/// Inserts new rows. What requests ask for while another statement is under way becomes one statement and one commit, which
/// is most of what a creation costs.
/// </summary>
public sealed class TaskInserter(IDbContextFactory<TaskDbContext> contexts, ITaskStore store, StoreSql sql)
{
    private const int MaxBatch = 1_000;

    /// <summary>How long a request waits for another one with its key: less than others wait for the slot that it has.</summary>
    private static readonly TimeSpan MaxKeyWait = TimeSpan.FromSeconds(1);

    private readonly ConcurrentQueue<Request> _waiting = [];
    private int _count;

    /// <summary>Inserts all of the tasks and their key, or nothing.</summary>
    /// <exception cref="DbException">
    /// The database did not take them, or its answer was lost; or the key was used (<see cref="ITaskStore.IsUniqueViolation"/>)
    /// or may be in use (<see cref="ITaskStore.IsTimeout"/>).
    /// </exception>
    public Task InsertAsync(IReadOnlyList<ScheduledTask> tasks, IdempotencyKey? key, CancellationToken cancel)
    {
        if (key is not null)
            return InsertWithKeyAsync(tasks, key, cancel);
        var request = new Request(tasks, new(TaskCreationOptions.RunContinuationsAsynchronously));
        _waiting.Enqueue(request);
        if (Interlocked.Increment(ref _count) == 1)
            _ = Task.Run(WriteAllAsync, CancellationToken.None);
        return request.Inserted.Task.WaitAsync(cancel);
    }

    private async Task InsertWithKeyAsync(IReadOnlyList<ScheduledTask> tasks, IdempotencyKey key, CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        // An insert with the same key waits here until it knows how the other one ends.
        db.Database.SetCommandTimeout(MaxKeyWait);
        // On a server it is one batch: an instance that is frozen keeps no row from the others.
        await using var transaction = store.IsShared ? null : await db.Database.BeginTransactionAsync(cancel);
        await db.ExecuteAsync(sql.Insert, Document(tasks, key), cancel);
        if (transaction is not null)
            await transaction.CommitAsync(cancel);
    }

    private async Task WriteAllAsync()
    {
        var group = new List<Request>();
        do
        {
            group.Clear();
            for (var rows = 0; rows < MaxBatch && _waiting.TryDequeue(out var request); rows += request.Tasks.Count)
                group.Add(request);
            try
            {
                await using var db = await contexts.CreateDbContextAsync();
                await db.ExecuteAsync(sql.Insert, Document(group.SelectMany(request => request.Tasks)), CancellationToken.None);
                group.ForEach(request => request.Inserted.TrySetResult());
            }
            // Each request looks for itself whether its rows are there.
            catch (Exception error)
            {
                group.ForEach(request => request.Inserted.TrySetException(error));
            }
        }
        while (Interlocked.Add(ref _count, -group.Count) > 0);
    }

    private static string Document(IEnumerable<ScheduledTask> tasks, params IdempotencyKey[] keys) => JsonSerializer.Serialize(new
    {
        tasks = tasks.Select(task => new
        {
            id = task.Id,
            kind = $"{task.Kind}",
            executeAt = task.ExecuteAt.ToUnixTimeMilliseconds(),
            label = task.Label,
            expireAt = task.ExpireAt?.ToUnixTimeMilliseconds(),
            createdAt = task.CreatedAt.ToUnixTimeMilliseconds(),
        }),
        keys = keys.Select(key => new
        {
            id = key.Id,
            request = key.Request,
            createdAt = tasks.First().CreatedAt.ToUnixTimeMilliseconds(),
            taskIds = string.Join(' ', tasks.Select(task => task.Id)),
        }),
    });

    private sealed record Request(IReadOnlyList<ScheduledTask> Tasks, TaskCompletionSource Inserted);
}
