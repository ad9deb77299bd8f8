using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>
/// Settings that SQLite keeps per connection. A busy database is waited for inside SQLite, which looks again after
/// milliseconds; without this the driver would sleep 150 ms at a time, and tasks would start that much late. Commits
/// reach the disk before they are answered: an accepted task survives a power failure.
/// </summary>
public sealed class EmbeddedConnectionInterceptor : DbConnectionInterceptor
{
    private const string Pragmas = "PRAGMA busy_timeout = 30000; PRAGMA synchronous = FULL;";

    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
    {
        using var command = connection.CreateCommand();
        command.CommandText = Pragmas;
        command.ExecuteNonQuery();
    }

    public override async Task ConnectionOpenedAsync(
        DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = Pragmas;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
