using Npgsql;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>
/// Changes of the task table that PostgreSQL has done and does not get committed, as on a disk or with a standby that is
/// slow: whoever loses its connection meanwhile asks before it is committed, and is told that nothing happened.
/// </summary>
public sealed class StalledCommits : IAsyncDisposable
{
    private const string Waits =
        """
        SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """;

    private readonly PostgreSqlTestStore _store;
    private readonly NpgsqlConnection _holder;

    private StalledCommits(PostgreSqlTestStore store, NpgsqlConnection holder) => (_store, _holder) = (store, holder);

    /// <summary>To be done once. A deferred trigger is the last thing before a commit, and waits whatever becomes of its client.</summary>
    public static Task PlaceAsync(PostgreSqlTestStore store) => store.ExecuteAsync(
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
    public static async Task<StalledCommits> BeginAsync(PostgreSqlTestStore store)
    {
        var holder = await store.Server.OpenAsync(store.Database);
        try
        {
            await holder.ExecuteAsync("SELECT pg_advisory_lock(1)");
            return new(store, holder);
        }
        catch
        {
            await holder.DisposeAsync();
            throw;
        }
    }

    public async Task<bool> IsAnyWaitingAsync() => await _store.AskAsync<long>(Waits) is not [0];

    public ValueTask DisposeAsync() => _holder.DisposeAsync();
}
