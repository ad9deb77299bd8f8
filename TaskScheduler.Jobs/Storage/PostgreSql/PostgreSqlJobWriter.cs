using Hangfire.PostgreSql;

namespace TaskScheduler.Jobs.Storage.PostgreSql;

/// <summary>
/// Writes a group of jobs in two statements. Hangfire's storage for PostgreSQL sends one for each job and five for each state
/// (that for SQL Server one batch). Hangfire still decides what a state changes.
/// </summary>
public sealed class PostgreSqlJobWriter(
    JobStorage storage, IDbContextFactory<TaskDbContext> contexts, TimeProvider clock, IOptions<RetentionOptions> retention)
    : JobWriter(storage, clock, retention)
{
    /// <summary>As Hangfire serializes a job, which takes longer than all the rest. Those of a kind differ by the ID only.</summary>
    private static readonly Dictionary<TaskKind, (string Invocation, string Arguments)> Samples =
        Enum.GetValues<TaskKind>().ToDictionary(kind => kind, kind =>
        {
            var sample = InvocationData.SerializeJob(TaskJob.For(Guid.Empty, kind));
            return (SerializationHelper.Serialize(sample), sample.Arguments);
        });

    protected override IReadOnlyDictionary<Guid, string> Create(IReadOnlyCollection<ScheduledTask> rows)
    {
        var document = JsonSerializer.Serialize(rows.Select(row => new
        {
            invocation = Samples[row.Kind].Invocation.Replace($"{Guid.Empty}", $"{row.Id}", StringComparison.Ordinal),
            arguments = Samples[row.Kind].Arguments.Replace($"{Guid.Empty}", $"{row.Id}", StringComparison.Ordinal),
        }));
        using var db = contexts.CreateDbContext();
        return db.Database.SqlQueryRaw<CreatedJob>(PostgreSqlSql.CreateJobs, document).ToDictionary(job => job.TaskId, job => job.JobId);
    }

    protected override JobStorageTransaction CreateTransaction(IStorageConnection connection) =>
        new Batch((PostgreSqlStorage)Storage, document =>
        {
            using var db = contexts.CreateDbContext();
            db.Database.ExecuteSqlRaw(PostgreSqlSql.ApplyStates, document);
        });

    private sealed record CreatedJob(Guid TaskId, string JobId);

    /// <summary>Collects what the states of tasks change; the base still sends a statement for anything else.</summary>
    private sealed class Batch(PostgreSqlStorage storage, Action<string> send) : PostgreSqlWriteOnlyTransaction(storage, () => null)
    {
        private readonly Dictionary<string, IState> _states = [];
        private readonly Dictionary<string, long?> _expirations = [];
        private readonly Dictionary<(string Key, string Value), double?> _sets = [];
        private readonly Dictionary<(string Key, long? ExpireIn), int> _counters = [];

        public override void SetJobState(string jobId, IState state) => _states[jobId] = state;

        public override void ExpireJob(string jobId, TimeSpan expireIn) => _expirations[jobId] = (long)expireIn.TotalSeconds;

        public override void PersistJob(string jobId) => _expirations[jobId] = null;

        public override void AddToSet(string key, string value, double score) => _sets[(key, value)] = score;

        public override void RemoveFromSet(string key, string value) => _sets[(key, value)] = null;

        public override void IncrementCounter(string key) => Count(key, null, 1);

        public override void IncrementCounter(string key, TimeSpan expireIn) => Count(key, expireIn, 1);

        public override void DecrementCounter(string key) => Count(key, null, -1);

        public override void DecrementCounter(string key, TimeSpan expireIn) => Count(key, expireIn, -1);

        public override void Commit()
        {
            send(JsonSerializer.Serialize(new
            {
                jobs = _states.Select(job => new
                {
                    id = long.Parse(job.Key, CultureInfo.InvariantCulture),
                    name = job.Value.Name,
                    reason = job.Value.Reason,
                    data = job.Value.SerializeData(),
                    expireIn = _expirations.GetValueOrDefault(job.Key),
                }),
                sets = _sets.Select(entry => new { key = entry.Key.Key, value = entry.Key.Value, score = entry.Value }),
                counters = _counters.Select(counter => new { key = counter.Key.Key, expireIn = counter.Key.ExpireIn, value = counter.Value }),
            }));
            base.Commit();
        }

        private void Count(string key, TimeSpan? expireIn, int value)
        {
            var counter = (key, (long?)expireIn?.TotalSeconds);
            _counters[counter] = _counters.GetValueOrDefault(counter) + value;
        }
    }
}
