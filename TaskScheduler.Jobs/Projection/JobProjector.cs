namespace TaskScheduler.Jobs.Projection;

/// <summary>
/// Brings Hangfire's jobs to the state of their rows, behind the commit and in groups. A row says itself that its job lags
/// behind, so a crash loses nothing and any instance can go on. What a row passed through meanwhile is skipped.
/// </summary>
/// <remarks>
/// One instance shows rows at a time. Where Hangfire's storage takes part in the transaction, an instance that is frozen in it
/// loses it, with everything that it wrote. Elsewhere it may write an old state when it wakes: it finds then that the row's
/// version has changed, and marks the row again. A job that it made for a row that names another one by then stays invisible.
/// </remarks>
public sealed partial class JobProjector(
    IDbContextFactory<TaskDbContext> contexts,
    ITaskStore store,
    StoreSql sql,
    JobStorage storage,
    JobWriter jobs,
    JobLookup lookup,
    InstanceIdentity instance,
    TimeProvider clock,
    IOptions<ExecutionOptions> execution,
    ILogger<JobProjector> logger)
{
    private const int MaxBatch = 500;
    private const int RefusalsPerReminder = 30;

    /// <summary>For so long a row that is refused alone, while the storage answers, is passed over, unless it changes.</summary>
    private static readonly TimeSpan PassingOver = TimeSpan.FromSeconds(10);

    /// <summary>Of real time, like the rest of the pauses here: what a job shows is no part of any task's time.</summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(50);

    /// <summary>One change shows soon, many in few groups: a group costs a commit or two, beside the claims.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxLastRun = TimeSpan.FromSeconds(2);

    /// <summary>What is due is shown once it runs: the claim would pass over a row that is locked here.</summary>
    private static readonly TimeSpan BeforeDue = TimeSpan.FromMilliseconds(500);

    /// <summary>What waits for a slot for longer is shown as it is.</summary>
    private static readonly TimeSpan AfterDue = TimeSpan.FromSeconds(1);

    /// <summary>Hangfire's storage is synchronous, and a burst of tasks needs the threads of the pool.</summary>
    private static readonly TaskFactory OwnThread = new(TaskCreationOptions.LongRunning, TaskContinuationOptions.None);

    private readonly AsyncSignal _wake = new(TimeProvider.System);
    private readonly Dictionary<(long Sequence, int Version), long> _passedOver = [];
    private List<ScheduledTask> _group = [];

    public void Wake() => _wake.Set();

    /// <summary>Shows what changes until <paramref name="stop"/>, and then for a moment what changed before it.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (await _wake.WaitAsync(Timeout.InfiniteTimeSpan, stop))
        {
            await StoreRetry.PauseAsync(Gathering, stop);
            await ShowAllAsync(stop);
            await StoreRetry.PauseAsync(Rest, stop);
        }

        using var limit = new CancellationTokenSource(MaxLastRun);
        await ShowAllAsync(limit.Token).WaitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Shows at most <paramref name="max"/> rows, in one transaction where the store allows it.</summary>
    /// <returns>How many it showed; none if another instance shows rows at this moment.</returns>
    public async Task<int> ShowAsync(int max, CancellationToken cancel)
    {
        _group = [];
        using var transaction = store.SharesTransactions
            ? new TransactionScope(
                TransactionScopeOption.RequiresNew,
                new TransactionOptions { IsolationLevel = IsolationLevel.ReadCommitted },
                TransactionScopeAsyncFlowOption.Enabled)
            : null;
        // Each step has a context of its own: a second connection cannot join the transaction while EF keeps one for its context.
        if (!await IsProjectorAsync(cancel))
            return 0;
        var life = await OwnThread.StartNew(() => JobStorageLife.FindOrBegin(storage), cancel);
        var (rows, servers) = await FindAsync(max, cancel);
        _group = rows;
        if (rows.Count > 0)
        {
            var states = await lookup.FindStatesAsync([.. rows.Where(row => row.JobStorageId == life)], cancel);
            var shown = await OwnThread.StartNew(() => jobs.Create(rows, states), cancel);
            // On a storage with transactions of its own, a job must not have a state before a row names it.
            if (!store.SharesTransactions && shown.Any(job => job.IsNew))
                shown = [.. shown.Where(job => !job.IsNew), .. await NoteAsync(life, shown.Where(job => job.IsNew), false, cancel)];
            await OwnThread.StartNew(() => jobs.ApplyStates(shown, servers), cancel);
            await NoteAsync(life, shown, true, cancel);
        }

        transaction?.Complete();
        return rows.Count;
    }

    private async Task ShowAllAsync(CancellationToken stop)
    {
        var size = MaxBatch;
        for (var refusals = 0; !stop.IsCancellationRequested;)
        {
            var started = TimeProvider.System.GetTimestamp();
            try
            {
                if (await ShowAsync(size, stop) < size)
                    return;
                (size, refusals) = (MaxBatch, 0);
                // Requests and claims need the processor, too.
                await StoreRetry.PauseAsync(TimeProvider.System.GetElapsedTime(started) * 2, stop);
            }
            catch (Exception error) when (stop.IsCancellationRequested || error is StorageUnavailableException)
            {
                return;
            }
            // Whatever goes wrong in the job store, the rows stay marked.
            catch (Exception error)
            {
                if (refusals++ % RefusalsPerReminder == 0)
                    LogRefused(size, error);
                // A smaller group is sooner done, and one row that is refused must not keep the others.
                if (_group.Count > 0 && await AnswersAsync())
                {
                    if (_group.Count > 1)
                    {
                        size = _group.Count / 2;
                        continue;
                    }

                    _passedOver[(_group[0].Sequence, _group[0].Version)] = TimeProvider.System.GetTimestamp();
                    size = MaxBatch;
                }

                await StoreRetry.PauseAsync(RetryDelay, stop);
            }
        }
    }

    private async Task<bool> IsProjectorAsync(CancellationToken cancel)
    {
        var lease = (long)execution.Value.Lease.TotalMilliseconds;
        var question = JsonSerializer.Serialize(new { instanceId = instance.Id, lease });
        await using var db = await contexts.CreateDbContextAsync(cancel);
        return (await db.QueryAsync<bool>(sql.IsProjector, question, cancel)).Single();
    }

    private async Task<(List<ScheduledTask> Rows, IReadOnlyDictionary<Guid, string?> Servers)> FindAsync(
        int max, CancellationToken cancel)
    {
        var now = clock.GetUtcNow().RoundDownToMillisecond();
        var (from, to) = (now - AfterDue, now + BeforeDue);
        foreach (var (row, _) in _passedOver.Where(passed => TimeProvider.System.GetElapsedTime(passed.Value) > PassingOver))
            _passedOver.Remove(row);
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var found = await db.Tasks.AsNoTracking()
            .Where(t => !t.IsShown && (t.State != ScheduledTaskState.Pending || t.DueAt < from || t.DueAt > to))
            .OrderBy(t => t.Sequence)
            .Take(max + _passedOver.Count)
            .ToListAsync(cancel);
        var rows = found.Where(row => !_passedOver.ContainsKey((row.Sequence, row.Version))).Take(max).ToList();
        var servers = rows.Exists(row => row.State == ScheduledTaskState.Running)
            ? await db.Instances.ToDictionaryAsync(i => i.Id, i => i.ServerId, cancel)
            : [];
        return (rows, servers);
    }

    /// <summary>Notes the jobs at their rows. No row has version 0: one noted with it stays not shown.</summary>
    /// <returns>Those noted. The others' rows name the job of another instance by now.</returns>
    private async Task<IEnumerable<ShownJob>> NoteAsync(Guid life, IEnumerable<ShownJob> jobs, bool areShown, CancellationToken cancel)
    {
        var rows = jobs.Select(job => new
        {
            sequence = job.Row.Sequence,
            version = areShown ? job.Row.Version : 0,
            job = job.JobId,
            oldJob = job.Row.JobId ?? "",
            state = areShown ? JobStates.NameOf(job.Row.State) : null,
        });
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var noted = await db.QueryAsync<long>(sql.Show, JsonSerializer.Serialize(new { storage = life, rows }), cancel);
        return jobs.IntersectBy(noted, job => job.Row.Sequence);
    }

    /// <summary>Whether Hangfire's storage can be read. There is no marker yet if the first group of all is refused.</summary>
    private async Task<bool> AnswersAsync()
    {
        Task look = OwnThread.StartNew(() => JobStorageLife.Find(storage));
        await look.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return look.IsCompletedSuccessfully;
    }

    [LoggerMessage(1, LogLevel.Warning, "Hangfire did not take the states of up to {Count} jobs; trying again.")]
    private partial void LogRefused(int count, Exception error);
}
