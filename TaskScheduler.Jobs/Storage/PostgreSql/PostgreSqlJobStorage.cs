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
        public override DateTime GetUtcDateTime() => clock.GetUtcNow().UtcDateTime;
    }
}
