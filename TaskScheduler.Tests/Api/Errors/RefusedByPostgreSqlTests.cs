using System.Net;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Errors;

/// <summary>What a client is told when the database answers with a refusal, and when it does not answer.</summary>
public sealed class RefusedByPostgreSqlTests : IAsyncDisposable
{
    private const string NewTask = """{"kind":"Fizz","executeAt":"2030-01-01T00:00:00Z"}""";

    private readonly PostgreSqlTestStore _store = new();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Theory]
    [InlineData("40001", "RAISE 'conflict' USING ERRCODE = '40001';")]
    [InlineData("55P03", "RAISE 'lock' USING ERRCODE = '55P03';")]
    [InlineData("57014", "PERFORM pg_cancel_backend(pg_backend_pid()), pg_sleep(9);")]
    [InlineData("57P01", "PERFORM pg_terminate_backend(pg_backend_pid()), pg_sleep(9);")]
    public async Task RefusedCreationIsAnAnswer(string code, string body)
    {
        await using var app = await TestApplication.StartAsync(null, _store, "--Instance:Role=Api");
        await _store.ExecuteAsync(
            $"""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN {body} RETURN NULL; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON scheduler."Tasks" EXECUTE FUNCTION refuse();
            """);

        await AnswersWithAsync(app, code);
    }

    [Theory]
    [InlineData("25006", "SET default_transaction_read_only = on")]
    [InlineData("53300", "CONNECTION LIMIT 0")]
    public async Task RefusedSessionIsAnAnswer(string code, string limit)
    {
        await using var app = await TestApplication.StartAsync(null, _store, "--Instance:Role=Api");
        await _store.ExecuteAsync(
            $"""
            ALTER DATABASE {_store.Database} {limit};
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
            """);

        await Eventually.TrueAsync(
            async () => (await PostAsync(app)).Text.Contains($"(SQLSTATE {code})", StringComparison.Ordinal), $"it answers with {code}");
        await AnswersWithAsync(app, code);
    }

    [Fact]
    public async Task ServerThatIsAwayDoesNotAnswer()
    {
        await using var server = await TestPostgreSql.StartAsync();
        var store = new PostgreSqlTestStore(server, await server.CreateDatabaseAsync());
        await using var app = await TestApplication.StartAsync(null, store, "--Instance:Role=Api");
        await server.CrashAsync();
        await PostAsync(app);

        var problem = (await PostAsync(app)).Problem(HttpStatusCode.ServiceUnavailable, "store-unavailable");

        Assert.Equal(
            "The database did not answer in time, or cannot be reached.", problem.GetProperty("detail").GetString());
    }

    private static async Task<Answer> PostAsync(TestApplication app)
    {
        using var response = await app.PostAsync("/tasks", NewTask);
        return await Answer.ReadAsync(response);
    }

    private static async Task AnswersWithAsync(TestApplication app, string code)
    {
        var problem = (await PostAsync(app)).Problem(HttpStatusCode.ServiceUnavailable, "store-unavailable");

        Assert.Equal(
            $"The database answered, but refused or rolled back what was asked of it (SQLSTATE {code}).",
            problem.GetProperty("detail").GetString());
    }
}
