using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.PostgreSql;

/// <summary>Starts as they are seen from outside: by a trigger that reads the database's wall clock.</summary>
public sealed class NeverEarlyTests : IAsyncLifetime
{
    private readonly PostgreSqlTestStore _store = new();
    private TestApplication _app = null!;

    public async ValueTask InitializeAsync()
    {
        _app = await TestApplication.StartAsync(store: _store);
        await _store.ExecuteAsync(
            """
            CREATE TABLE witness (id uuid, at timestamptz);
            CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
            BEGIN
              INSERT INTO public.witness VALUES (NEW."Id", clock_timestamp());
              RETURN NEW;
            END $$;
            CREATE TRIGGER witness BEFORE UPDATE ON scheduler."Tasks"
              FOR EACH ROW WHEN (NEW."State" = 'Running' AND OLD."State" <> 'Running') EXECUTE FUNCTION witness();
            """);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task NoTaskStartsBeforeItsTimeByTheDatabasesClock()
    {
        var now = TimeProvider.System.GetUtcNow();
        for (var i = 0; i < 100; i++)
            await _app.CreateAsync(TaskKind.Fizz, now.AddMilliseconds(20.37 * i));

        await Eventually.TrueAsync(
            async () => (await _store.AskAsync<long>("SELECT count(*) FROM witness")) is [100], "all have started");

        var early = await _store.AskAsync<double>(
            """
            SELECT extract(epoch FROM w.at - t."ExecuteAt")::float8 FROM witness w JOIN scheduler."Tasks" t ON t."Id" = w.id
            WHERE w.at < t."ExecuteAt"
            """);
        Assert.Empty(early);
    }
}
