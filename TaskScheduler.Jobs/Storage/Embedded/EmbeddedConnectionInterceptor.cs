using System.Data.Common;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore.Diagnostics;
using SQLitePCL;

namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>
/// Refuses a file that can only be read, and makes the settings that SQLite keeps per connection.
/// A busy database is waited for inside SQLite, which looks again after milliseconds; without this the driver would sleep
/// 150 ms at a time, and tasks would start that much late. Commits reach the disk before they are answered: an accepted
/// task survives a power failure.
/// </summary>
public sealed class EmbeddedConnectionInterceptor(StorageFile file) : DbConnectionInterceptor
{
    private const string Pragmas = "PRAGMA busy_timeout = 30000; PRAGMA synchronous = FULL;";

    /// <summary>Of a result code, whose upper bits say more.</summary>
    private const int PrimaryCode = 0xFF;

    /// <summary>The connections in the pool, as SQLite has them, that are known to write.</summary>
    private readonly ConditionalWeakTable<sqlite3, sqlite3> _writable = [];

    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
    {
        RefuseReadOnly(connection);
        using var command = connection.CreateCommand();
        command.CommandText = Pragmas;
        command.ExecuteNonQuery();
    }

    public override async Task ConnectionOpenedAsync(
        DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        RefuseReadOnly(connection);
        await using var command = connection.CreateCommand();
        command.CommandText = Pragmas;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// SQLite opens for reading what it may not write, the file or its -wal. In the pool such a connection would refuse writes
    /// long after the file can be written again, and the driver lets go of one only with the whole pool.
    /// </summary>
    private void RefuseReadOnly(DbConnection connection)
    {
        // EF opens one of its own for reading, to see whether there is a database.
        if (connection.ConnectionString != file.ConnectionString)
            return;
        var opened = (SqliteConnection)connection;
        var handle = opened.Handle!;
        if (_writable.TryGetValue(handle, out _))
            return;
        // The transaction tells of the -wal. It does not wait: if another one writes just now, this one could.
        if (raw.sqlite3_db_readonly(handle, "main") == 0
            && (raw.sqlite3_exec(handle, "BEGIN IMMEDIATE; ROLLBACK;") & PrimaryCode) != raw.SQLITE_READONLY)
        {
            _writable.AddOrUpdate(handle, handle);
            return;
        }

        SqliteConnection.ClearPool(opened);
        opened.Close();
        throw new SqliteException($"'{file.Path}' can only be read", raw.SQLITE_READONLY);
    }
}
