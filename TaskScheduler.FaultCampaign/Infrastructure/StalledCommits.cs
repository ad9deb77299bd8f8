using Npgsql;

namespace TaskScheduler.FaultCampaign.Infrastructure;

/// <summary>
/// Changes of the task table that PostgreSQL has done and does not get committed, as on a disk or with a standby that is
/// slow: an instance that loses its connection meanwhile asks before it is committed, and is told that nothing happened.
/// </summary>
public sealed class StalledCommits : IAsyncDisposable
{
    private const string Waits =
        """
        SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """;

    private readonly PostgreSqlDatabase _database;
    private readonly NpgsqlConnection _holder;

    private StalledCommits(PostgreSqlDatabase database, NpgsqlConnection holder) => (_database, _holder) = (database, holder);

    /// <summary>To be done once. A deferred trigger is the last thing before a commit, and waits whatever becomes of its client.</summary>
    public static Task PlaceAsync(PostgreSqlDatabase database) => database.ExecuteAsync(
        """
        CREATE FUNCTION public.stall() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM pg_advisory_xact_lock_shared(1);
          RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER stall AFTER INSERT OR UPDATE ON scheduler."Tasks" DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION public.stall();
        """);

    /// <summary>From here on, until it is disposed, nothing is committed.</summary>
    public static async Task<StalledCommits> BeginAsync(PostgreSqlDatabase database)
    {
        var holder = await database.Server.OpenAsync(database.Database);
        try
        {
            await holder.ExecuteAsync("SELECT pg_advisory_lock(1)");
            return new(database, holder);
        }
        catch
        {
            await holder.DisposeAsync();
            throw;
        }
    }

    public async Task<bool> IsAnyWaitingAsync() => await _database.AskAsync<long>(Waits) is not [0];

    public ValueTask DisposeAsync() => _holder.DisposeAsync();
}
