namespace TaskScheduler.Jobs.Projection;

/// <summary>A row and the job that shows it, with the job's state: null if this instance has just made the job.</summary>
public sealed record ShownJob(ScheduledTask Row, string JobId, string? State)
{
    public bool IsNew => State is null;
}

/// <summary>Writes the jobs of tasks through Hangfire's storage API, many in one storage transaction.</summary>
public class JobWriter(JobStorage storage, TimeProvider clock, IOptions<RetentionOptions> retention)
{
    /// <summary>A job without a state is invisible to Hangfire; one whose creator died is forgotten after this time.</summary>
    private static readonly TimeSpan UnfinishedCreation = TimeSpan.FromHours(1);

    private readonly StateMachine _stateMachine = new(new HistoryFilter());

    protected JobStorage Storage => storage;

    /// <summary>Makes a job for each row that has none in <paramref name="states"/>: jobs may be gone before their rows.</summary>
    public IReadOnlyList<ShownJob> Create(IReadOnlyCollection<ScheduledTask> rows, IReadOnlyDictionary<Guid, string?> states)
    {
        var has = rows.ToLookup(row => states.GetValueOrDefault(row.Id) is not null);
        var made = has[false].Any() ? Create([.. has[false]]) : new Dictionary<Guid, string>();
        return [.. has[true].Select(row => new ShownJob(row, row.JobId!, states[row.Id])),
            .. has[false].Select(row => new ShownJob(row, made[row.Id], State: null))];
    }

    /// <summary>Gives each job the state of its row, in one storage transaction.</summary>
    /// <param name="jobs">The rows and their jobs.</param>
    /// <param name="servers">The Hangfire servers by the IDs of the instances.</param>
    public void ApplyStates(IEnumerable<ShownJob> jobs, IReadOnlyDictionary<Guid, string?> servers)
    {
        using var connection = storage.GetConnection();
        using var transaction = CreateTransaction(connection);
        foreach (var (row, jobId, shown) in jobs)
        {
            var state = JobStates.Of(row, servers.GetValueOrDefault(row.InstanceId ?? Guid.Empty));
            // The mark was not taken away the first time. Once more would count once more.
            if (state.IsFinal && state.Name == shown)
                continue;
#pragma warning disable RS0030 // The class is banned for its static members; this is the plain record of a job.
            var job = new BackgroundJob(jobId, TaskJob.For(row.Id, row.Kind), row.CreatedAt.UtcDateTime);
#pragma warning restore RS0030
            _stateMachine.ApplyState(new ApplyStateContext(storage, connection, transaction, job, state, shown));
            // Hangfire keeps failed jobs for good; this one's task is gone by then.
            if (row.State == ScheduledTaskState.Failed)
                transaction.ExpireJob(jobId, retention.Value.Finished);
        }

        transaction.Commit();
    }

    /// <summary>Makes a job without a state for each task.</summary>
    /// <returns>The numbers of the jobs by the IDs of the tasks.</returns>
    protected virtual IReadOnlyDictionary<Guid, string> Create(IReadOnlyCollection<ScheduledTask> rows)
    {
        using var connection = storage.GetConnection();
        return rows.ToDictionary(row => row.Id, row => connection.CreateExpiredJob(
            TaskJob.For(row.Id, row.Kind), new Dictionary<string, string?>(), clock.GetUtcNow().UtcDateTime, UnfinishedCreation));
    }

    protected virtual JobStorageTransaction CreateTransaction(IStorageConnection connection) =>
        (JobStorageTransaction)connection.CreateWriteTransaction();

    /// <summary>The counters behind the dashboard's graph. Other filters would look for each job's continuations.</summary>
    private sealed class HistoryFilter : IJobFilterProvider
    {
        private static readonly JobFilter[] Filters = [new(new StatisticsHistoryAttribute(), JobFilterScope.Global, order: null)];

        public IEnumerable<JobFilter> GetFilters(Job job) => Filters;
    }
}
