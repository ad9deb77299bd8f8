using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Maintenance;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Api.Dashboard;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>
/// The statements of docs/operations.md on a PostgreSQL: an owner changes the schemas, and the instances' user may read and change
/// rows and nothing else.
/// </summary>
[Collection(OnAServer.Name)]
public sealed class LeastRightsTests : IAsyncLifetime
{
    private const string Owner = "tasks_owner";
    private const string Database = "tasks";

    private PostgreSqlServer _server = null!;
    private string _password = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>What the document calls the instances' user.</summary>
    private string[] AsInstance => ["--Storage:Provider=PostgreSql", "--Storage:Migrate=false", Address(PostgreSqlServer.User)];

    public async ValueTask InitializeAsync()
    {
        _server = await TestPostgreSql.StartAsync();
        _password = new NpgsqlConnectionStringBuilder(_server.ConnectionString(Database)).Password!;
        await _server.ExecuteAsync("postgres", $"DROP ROLE {PostgreSqlServer.User}");
        var blocks = OperationsDocument.Sql("### On PostgreSQL");
        Assert.Equal(2, blocks.Count);
        foreach (var statement in OperationsDocument.Statements(blocks[0]))
        {
            await _server.ExecuteAsync("postgres", statement
                .Replace("choose-a-better-one", _password, StringComparison.Ordinal)
                .Replace("choose-another-one", _password, StringComparison.Ordinal));
        }

        await using var owner = new NpgsqlConnection($"{ConnectionString(Owner)};Pooling=false");
        await owner.OpenAsync(Cancel);
        foreach (var statement in OperationsDocument.Statements(blocks[1]))
            await owner.ExecuteAsync(statement);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task InstanceWithoutTheRightsOfAnOwnerDoesAllThatItShould()
    {
        await MigrateAsync();
        await LeaveWorkForHangfiresCleanersAsync();
        using var log = new CapturedLog();
        var store = new PostgreSqlTestStore(_server, Database);
        await using var app = await TestApplication.StartAsync(
            services => services
                .AddSingleton<ILoggerFactory>(log.Factory())
                .AddSingleton<TaskWork>((kind, id, _) => Task.FromResult(kind.Definition().OutputOf(id))),
            store,
            AsInstance);

        await BecomesReadyAsync(app);
        var first = await CreateWithKeyAsync(app);
        Assert.Equal(first, await CreateWithKeyAsync(app));
        await app.WaitForAsync(first, ScheduledTaskState.Completed);
        await Eventually.TrueAsync(() => app.Output.Lines.Contains($"Fizz {first}"), "the line is printed");
        await DeleteOnTheDashboardAsync(app);
        await ChangeAsync(app);
        await RetainAsync(app, first);
        await Eventually.TrueAsync(
            async () => await _server.AskAsync<long>(
                Database,
                """
                SELECT (SELECT count(*) FROM hangfire.job WHERE expireat < now()) + (SELECT count(*) FROM hangfire.set WHERE key = 'old')
                  + (SELECT count(*) FROM hangfire.list WHERE key = 'old') + (SELECT count(*) FROM hangfire.hash WHERE key = 'old')
                  + (SELECT count(*) FROM hangfire.counter WHERE key = 'old')
                """) is [0],
            "Hangfire's cleaners removed what has expired");
        Assert.Equal([5L], await _server.AskAsync<long>(Database, "SELECT value FROM hangfire.aggregatedcounter WHERE key = 'old'"));
        await BecomesReadyAsync(app);
        // A busy machine may make the worker late, which its health check says as an error.
        Assert.DoesNotContain(
            log.Lines,
            line => line.Contains("denied", StringComparison.Ordinal)
                || (line.StartsWith("Error", StringComparison.Ordinal)
                    && !line.StartsWith("Error: Health check worker ", StringComparison.Ordinal)));
    }

    private static Task BecomesReadyAsync(TestApplication app) => Eventually.TrueAsync(
        async () =>
        {
            using var answer = await app.Client.GetAsync("/health/ready", Cancel);
            return answer.IsSuccessStatusCode;
        },
        "the instance is ready");

    [Fact]
    public async Task InstancesUserChangesNoSchema()
    {
        await MigrateAsync();
        await using var connection = new NpgsqlConnection($"{ConnectionString(PostgreSqlServer.User)};Pooling=false");
        await connection.OpenAsync(Cancel);
        foreach (var statement in new[]
        {
            "CREATE TABLE scheduler.more (id int)", "CREATE TABLE public.more (id int)", "CREATE SCHEMA more", "CREATE TEMP TABLE more (id int)",
            "ALTER TABLE scheduler.\"Tasks\" ADD COLUMN more int", "DROP TABLE hangfire.job", "TRUNCATE hangfire.job",
        })
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => connection.ExecuteAsync(statement));
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        }
    }

    /// <summary>Each is taken away and given back.</summary>
    [Fact]
    public async Task RightThatIsMissingIsNamedAtTheStart()
    {
        await MigrateAsync();
        foreach (var (right, on, line) in new[]
        {
            ("INSERT", "scheduler.\"Tasks\"", "its user has no INSERT right on scheduler.\"Tasks\"."),
            ("USAGE", "SCHEMA scheduler", "permission denied for schema scheduler."),
        })
        {
            await _server.ExecuteAsync(Database, $"REVOKE {right} ON {on} FROM tasks");
            await using (var instance = InstanceProcess.Launch([.. AsInstance, "--urls=http://127.0.0.1:0"]))
            {
                Assert.Equal(1, await instance.ExitCodeAsync());
                Assert.StartsWith(
                    $"TaskScheduler cannot start: The PostgreSQL database 'tasks' on 127.0.0.1:{_server.Port} cannot be used: {line}",
                    Assert.Single(instance.Errors),
                    StringComparison.Ordinal);
            }

            await _server.ExecuteAsync(Database, $"GRANT {right} ON {on} TO tasks");
        }
    }

    /// <summary>A table that an instance uses and does not ask about would fail it later.</summary>
    [Fact]
    public async Task RightsOnEveryTableAndSequenceAreLookedAt()
    {
        await MigrateAsync();
        var things = await _server.AskAsync<string>(
            Database,
            """
            SELECT format('%s %I.%I', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE '' END, n.nspname, c.relname)
            FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('scheduler', 'hangfire') AND c.relkind IN ('r', 'S')
              AND c.relname NOT IN ('__EFMigrationsHistory', 'schema')
              AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'i')
            """);
        Assert.True(things.Count > 20, $"Only {string.Join(", ", things)}.");
        foreach (var thing in things)
        {
            var right = thing.StartsWith("SEQUENCE", StringComparison.Ordinal) ? "USAGE" : "DELETE";
            await _server.ExecuteAsync(Database, $"REVOKE {right} ON {thing} FROM tasks");
            await using var jobs = await JobsAtRest.BuildAsync(new PostgreSqlTestStore(_server, Database), null, AsInstance);

            var refused = await Assert.ThrowsAsync<StorageUnavailableException>(() => jobs.Get<ITaskStore>().OpenAsync(Cancel));

            Assert.Contains($"its user has no {right} right on {thing.Split(' ')[^1]}.", refused.Message, StringComparison.Ordinal);
            await _server.ExecuteAsync(Database, $"GRANT {right} ON {thing} TO tasks");
        }
    }

    [Fact]
    public async Task ScriptMakesTheSchemasThatAStartMakes()
    {
        using var folder = new TemporaryFolder();
        var script = folder.File("schema.sql");
        await using (var printing = InstanceProcess.Launch("migrate", "--script", "--Storage:Provider=PostgreSql"))
        {
            Assert.Equal(0, await printing.ExitCodeAsync());
            Assert.Empty(printing.Errors);
            await File.WriteAllLinesAsync(script, printing.Output.Select(line => line.Text), Cancel);
        }

        await RunScriptAsync(script);
        var schemas = await SchemasAsync(_server, Database);
        // Again, and after a start has looked at them.
        await RunScriptAsync(script);

        Assert.Equal(schemas, await SchemasAsync(_server, Database));
        Assert.Equal(await SchemasAsync(await TestPostgreSql.SharedAsync(), await TestPostgreSql.TemplateAsync()), schemas);
        await using (var migrating = InstanceProcess.Launch("migrate", "--Storage:Provider=PostgreSql", Address(Owner)))
        {
            Assert.Equal(0, await migrating.ExitCodeAsync());
            Assert.Equal(
                $"PostgreSQL database 'tasks' on 127.0.0.1:{_server.Port}: the schema was up to date already.",
                Assert.Single(migrating.Errors));
        }

        await using var jobs = await JobsAtRest.BuildAsync(new PostgreSqlTestStore(_server, Database), null, AsInstance);
        await jobs.Get<ITaskStore>().OpenAsync(Cancel);
        var task = await jobs.CreateInAsync(ScheduledTaskState.Completed);
        await jobs.ShowAsync();
        Assert.Equal("Succeeded", await jobs.JobStateAsync(task));
    }

    [Fact]
    public async Task ScriptGoesOnFromAnOlderVersionOfHangfire()
    {
        using var folder = new TemporaryFolder();
        var script = folder.File("schema.sql");
        await File.WriteAllTextAsync(script, SchemaScript.For(StorageProvider.PostgreSql), Cancel);
        await RunScriptAsync(script);
        // The last step made an index anew.
        await _server.ExecuteAsync(
            Database, "UPDATE hangfire.schema SET version = version - 1; DROP INDEX hangfire.ix_hangfire_job_statename_is_not_null");

        await RunScriptAsync(script);

        Assert.Equal(
            await SchemasAsync(await TestPostgreSql.SharedAsync(), await TestPostgreSql.TemplateAsync()),
            await SchemasAsync(_server, Database));
    }

    [Fact]
    public async Task OwnerWhoMayNotMigrateSaysSo()
    {
        await using var migrating = InstanceProcess.Launch(
            "migrate", "--Storage:Provider=PostgreSql", Address(PostgreSqlServer.User));

        Assert.Equal(1, await migrating.ExitCodeAsync());
        Assert.StartsWith(
            $"TaskScheduler cannot migrate: The PostgreSQL database 'tasks' on 127.0.0.1:{_server.Port} cannot be used: permission denied for ",
            Assert.Single(migrating.Errors),
            StringComparison.Ordinal);
    }

    private async Task MigrateAsync()
    {
        // The switch is for instances; this command is there to migrate.
        await using var migrating = InstanceProcess.Launch(
            "migrate", "--Storage:Provider=PostgreSql", "--Storage:Migrate=false", Address(Owner));
        Assert.Equal(0, await migrating.ExitCodeAsync());
        Assert.Equal(
            $"PostgreSQL database 'tasks' on 127.0.0.1:{_server.Port}: the schema was brought up to date.",
            Assert.Single(migrating.Errors));
        Assert.Empty(migrating.Output);
    }

    private Task LeaveWorkForHangfiresCleanersAsync() => _server.ExecuteAsync(
        Database,
        """
        INSERT INTO hangfire.job (invocationdata, arguments, createdat, expireat) VALUES ('{}', '[]', now(), now() - interval '1 day');
        INSERT INTO hangfire.set (key, value, score, expireat) VALUES ('old', 'x', 0, now() - interval '1 day');
        INSERT INTO hangfire.list (key, value, expireat) VALUES ('old', 'x', now() - interval '1 day');
        INSERT INTO hangfire.hash (key, field, value, expireat) VALUES ('old', 'x', 'x', now() - interval '1 day');
        INSERT INTO hangfire.counter (key, value) VALUES ('old', 2), ('old', 3);
        """);

    private static async Task<Guid> CreateWithKeyAsync(TestApplication app)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/tasks")
        {
            Content = JsonContent.Create(new { kind = "Fizz", executeAt = "2026-01-01T00:00:00Z" }),
        };
        request.Headers.Add("Idempotency-Key", "once");
        using var response = await app.Client.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<System.Text.Json.JsonElement>(Cancel)).GetProperty("id").GetGuid();
    }

    private async Task DeleteOnTheDashboardAsync(TestApplication app)
    {
        var task = await app.CreateShownAsync(TaskKind.Buzz, TimeProvider.System.GetUtcNow().AddDays(1));
        using var visitor = new PageVisitor(app.Client.BaseAddress!);
        Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync("/hangfire")).Status);
        Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync("/hangfire/overview")).Status);
        await visitor.CommandAsync("/hangfire/tasks/delete", ("id", $"{task.Id}"));
        await app.WaitForAsync(task.Id, ScheduledTaskState.Deleted);
        Assert.Equal([1L], await _server.AskAsync<long>(Database, "SELECT count(*) FROM scheduler.\"SharedKeys\""));
    }

    private static async Task ChangeAsync(TestApplication app)
    {
        var task = await app.CreateAsync(TaskKind.Fizz, TimeProvider.System.GetUtcNow().AddDays(1));
        using (var changed = await app.Client.PatchAsJsonAsync($"/tasks/{task.Id}", new { executeAt = "2030-01-01T00:00:00Z" }, Cancel))
            Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        foreach (var paused in new[] { true, false })
        {
            using var answer = await app.Client.PutAsJsonAsync("/worker", new { paused }, Cancel);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        using var deleted = await app.Client.DeleteAsync($"/tasks/{task.Id}", Cancel);
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
    }

    /// <summary>Tasks and keys whose time is up.</summary>
    private async Task RetainAsync(TestApplication app, Guid finished)
    {
        await Eventually.TrueAsync(
            async () => await _server.AskAsync<bool>(Database, "SELECT bool_and(\"IsShown\") FROM scheduler.\"Tasks\"") is [true], "all is shown");
        await _server.ExecuteAsync(
            Database,
            """
            UPDATE scheduler."Tasks" SET "FinishedAt" = "FinishedAt" - interval '1 year', "DeletedAt" = "DeletedAt" - interval '1 year';
            UPDATE scheduler."IdempotencyKeys" SET "CreatedAt" = "CreatedAt" - interval '1 year';
            """);
        await app.Get<TaskCleaner>().RunOnceAsync(Cancel);
        Assert.Null(await app.Get<TaskClient>().FindAsync(finished, Cancel));
        Assert.Equal([0L], await _server.AskAsync<long>(Database, "SELECT count(*) FROM scheduler.\"IdempotencyKeys\""));
        Assert.Equal([0L], await _server.AskAsync<long>(Database, "SELECT count(*) FROM scheduler.\"Tasks\""));
    }

    /// <summary>As docs/operations.md has it, by the owner.</summary>
    private async Task RunScriptAsync(string script)
    {
        using var psql = Process.Start(new ProcessStartInfo(
            Prerequisites.OrSkip(() => PostgreSqlServer.Program("psql")),
            ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", $"{_server.Port}", "-U", Owner, "-d", Database, "-f", script])
        {
            RedirectStandardError = true,
            Environment = { ["PGPASSWORD"] = _password },
        })!;
        var errors = await psql.StandardError.ReadToEndAsync(Cancel);
        await psql.WaitForExitAsync(Cancel);
        Assert.True(psql.ExitCode == 0, errors);
    }

    /// <summary>Every column, index, constraint and default, and the versions.</summary>
    private static async Task<IReadOnlyList<string>> SchemasAsync(PostgreSqlServer server, string database) => await server.AskAsync<string>(
        database,
        """
        SELECT what FROM (
          SELECT format('%s.%s.%s %s %s %s %s', table_schema, table_name, column_name, data_type, is_nullable, column_default, is_identity) AS what
          FROM information_schema.columns WHERE table_schema IN ('scheduler', 'hangfire')
          UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname IN ('scheduler', 'hangfire')
          UNION ALL SELECT format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint
            WHERE connamespace IN ('scheduler'::regnamespace, 'hangfire'::regnamespace)
          UNION ALL SELECT version::text FROM hangfire.schema
          UNION ALL SELECT "MigrationId" FROM scheduler."__EFMigrationsHistory") AS schemas
        ORDER BY what
        """);

    private string ConnectionString(string user) =>
        new NpgsqlConnectionStringBuilder(_server.ConnectionString(Database)) { Username = user }.ConnectionString;

    private string Address(string user) => $"--ConnectionStrings:TaskScheduler={ConnectionString(user)}";
}
