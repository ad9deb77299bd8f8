using Hangfire.PostgreSql;
using Hangfire.Storage;

namespace TaskScheduler.Jobs.Storage.PostgreSql;

/// <summary>
/// Hangfire's storage with the database's clock: by itself it compares schedules with the clock of the process, so that an
/// instance whose clock is wrong would deliver at the wrong time.
/// </summary>
public sealed class PostgreSqlJobStorage(IConnectionFactory connections, PostgreSqlStorageOptions options, TimeProvider clock)
    : PostgreSqlStorage(connections, options)
{
    public override IStorageConnection GetConnection() => new Connection(this, clock);

    public override bool HasFeature(string featureId) =>
        featureId == JobStorageFeatures.Connection.GetUtcDateTime || base.HasFeature(featureId);

    private sealed class Connection(PostgreSqlStorage storage, TimeProvider clock) : PostgreSqlConnection(storage)
    {
        private const string SchedulersLock = "locks:schedulepoller";

        public override DateTime GetUtcDateTime() => clock.GetUtcNow().UtcDateTime;

        /// <summary>
        /// While one instance moves due jobs to the queue, all the others would ask for its lock every second, for a minute
        /// and with a connection each. There is nothing to wait for: it moves what they would.
        /// </summary>
        public override IDisposable AcquireDistributedLock(string resource, TimeSpan timeout) =>
            base.AcquireDistributedLock(resource, resource == SchedulersLock ? TimeSpan.Zero : timeout);
    }
}
