using System.Net;
using System.Net.Sockets;
using System.Transactions;
using Hangfire;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using TaskScheduler.Api.Hosting;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Jobs.Storage.PostgreSql;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.PostgreSql;

/// <summary>How an instance meets its database: too early, or not at all.</summary>
public sealed class PostgreSqlStoreTests : IAsyncDisposable
{
    private readonly PostgreSqlTestStore _store = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    /// <summary>Everybody makes something else of a connection that breaks.</summary>
    [Fact]
    public async Task WhateverALibraryMakesOfABrokenConnectionIsTheDatabases()
    {
        await using var jobs = await JobsAtRest.BuildAsync(_store);
        var store = jobs.Get<ITaskStore>();
        var broken = new NpgsqlException("Exception while writing to stream", new IOException("Broken pipe"));

        Assert.True(store.IsFromDatabase(broken));
        Assert.True(store.IsFromDatabase(new ObjectDisposedException("NpgsqlTransaction", broken)));
        Assert.True(store.IsFromDatabase(new BackgroundJobClientException("State change of a background job failed.", broken)));
        Assert.True(store.IsFromDatabase(new DbUpdateException("", new ArgumentException("As the driver says"))));
        Assert.True(store.IsFromDatabase(new TransactionInDoubtException()));
        Assert.False(store.IsFromDatabase(new InvalidOperationException("A defect", new FormatException())));
    }

    [Fact]
    public async Task InstanceThatStartsOnAMigratedDatabaseChangesNothing()
    {
        await _store.CreateAsync(migrated: true);
        await _store.ExecuteAsync(
            """
            CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'The schema changed'; END $$;
            CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION refuse();
            """);

        await using var second = await JobsAtRest.OpenAsync(_store);

        await second.CreateAsync();
    }

    /// <summary>The image has no library for it, and .NET tells that to standard error by itself.</summary>
    [Theory]
    [InlineData("", GssEncryptionMode.Disable)]
    [InlineData("GSS Encryption Mode=Prefer", GssEncryptionMode.Prefer)]
    public void KerberosIsNotTriedUnlessItIsAskedFor(string setting, GssEncryptionMode mode)
    {
        using var services = new ServiceCollection().AddPostgreSqlStore($"Host=127.0.0.1;{setting}").BuildServiceProvider();

        Assert.Equal(mode, services.GetRequiredService<NpgsqlConnectionStringBuilder>().GssEncryptionMode);
    }

    [Fact]
    public async Task WrongPasswordIsRefusedAtOnce()
    {
        var line = await RefusalAsync(address => address.Password = "not-the-secret");

        Assert.Equal(
            $"The PostgreSQL database '{_store.Database}' on 127.0.0.1:{_store.Server.Port} cannot be used: password "
            + "authentication failed for user \"tasks\". See ConnectionStrings:TaskScheduler.",
            line);
    }

    [Fact]
    public async Task UnknownDatabaseIsRefusedAtOnce()
    {
        var line = await RefusalAsync(address => address.Database = "nowhere");

        Assert.Equal(
            $"The PostgreSQL database 'nowhere' on 127.0.0.1:{_store.Server.Port} cannot be used: database \"nowhere\" does "
            + "not exist. See ConnectionStrings:TaskScheduler.",
            line);
    }

    [Fact]
    public async Task UserWhoMayNotCreateTheSchemaIsRefusedAtOnce()
    {
        await _store.CreateAsync(migrated: false);
        await _store.ExecuteAsync($"ALTER DATABASE {_store.Database} OWNER TO postgres");

        Assert.Contains("permission denied for database", await RefusalAsync(_ => { }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task SchemaOfANewerVersionIsRefusedAtOnce()
    {
        await _store.CreateAsync(migrated: true);
        await _store.ExecuteAsync("""INSERT INTO scheduler."__EFMigrationsHistory" VALUES ('20990101000000_Later', '99.0.0')""");

        var line = await RefusalAsync(_ => { });

        Assert.Contains("was brought up to date by a newer version of TaskScheduler", line, StringComparison.Ordinal);
        Assert.Contains("20990101000000_Later", line, StringComparison.Ordinal);
        Assert.Contains(_store.Database, line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SchemaOfANewerHangfireIsRefused()
    {
        await _store.CreateAsync(migrated: true);
        await _store.ExecuteAsync("UPDATE hangfire.schema SET version = 99");

        var line = await RefusalAsync(_ => { });

        Assert.Contains("has version 99 of Hangfire's schema, newer than", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Host=postgres://tasks:secret@db.example/tasks;Database=tasks")]
    [InlineData("Database=tasks;Password=secret")]
    [InlineData("Host=127.0.0.1;Pasword=secret")]
    [InlineData("Host=127.0.0.1;Password=secret;Port=many")]
    [InlineData("Host=127.0.0.1;Password=secret;Maximum Pool Size=2")]
    [InlineData("Host=127.0.0.1;Password=secret;Minimum Pool Size=9;Maximum Pool Size=8")]
    [InlineData("Host=127.0.0.1;Password=secret;Multiplexing=true")]
    [InlineData("Host=127.0.0.1;Password=secret;Enlist=false")]
    [InlineData("Password=secret")]
    [InlineData("secret")]
    public async Task ConnectionStringThatSaysTooLittleIsRefusedWithAnExample(string connectionString)
    {
        await using var instance = await JobsAtRest.BuildAsync(_store, null, $"--ConnectionStrings:TaskScheduler={connectionString}");

        var refused = Assert.Throws<StorageUnavailableException>(instance.Get<ITaskStore>);

        Assert.Contains("ConnectionStrings:TaskScheduler cannot be used: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Host=db.example;", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 0, 20)]
    [InlineData("Minimum Pool Size=50", 50, 50)]
    [InlineData("MinPoolSize=7", 7, 20)]
    [InlineData("Maximum Pool Size=3", 0, 3)]
    [InlineData("Minimum Pool Size=2;Maximum Pool Size=5", 2, 5)]
    public async Task BoundsOfThePoolGoTogether(string pool, int min, int max)
    {
        await using var instance = await JobsAtRest.BuildAsync(_store, null, $"--ConnectionStrings:TaskScheduler=Host=127.0.0.1;{pool}");

        var address = instance.Get<NpgsqlConnectionStringBuilder>();

        Assert.Equal((min, max), (address.MinPoolSize, address.MaxPoolSize));
    }

    [Theory]
    [InlineData("9.6.24", "the server is PostgreSQL 9.6.24; needed: PostgreSQL 12 or later.")]
    [InlineData("11.22", "the server is PostgreSQL 11.22; needed: PostgreSQL 12 or later.")]
    [InlineData("12.0", null)]
    [InlineData("18.1", null)]
    public void ServerThatDoesNotKnowOurStatementsIsRefused(string version, string? reason) =>
        Assert.Equal(reason, PostgreSqlStore.FindUnfit(Version.Parse(version)));

    /// <summary>The driver's own words say what it was doing; the network's and the server's say why.</summary>
    [Fact]
    public async Task ErrorIsExplainedByWhateverKnowsMost()
    {
        await using var instance = await JobsAtRest.OpenAsync(_store);
        var store = instance.Get<ITaskStore>();
        await using var db = await instance.OpenTableAsync();
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => db.Database.ExecuteSqlRawAsync("SELECT 1 / 0", Cancel));
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var silent = await Assert.ThrowsAnyAsync<Exception>(() => ConnectAsync(port));
        listener.Stop();
        var gone = await Assert.ThrowsAnyAsync<Exception>(() => ConnectAsync(port));

        Assert.Equal("division by zero", store.Explain(new DbUpdateException("An error occurred", refused)));
        Assert.Equal($"Failed to connect to 127.0.0.1:{port}: Connection refused", store.Explain(new BackgroundJobClientException("No", gone)));
        Assert.Equal("The operation has timed out", store.Explain(silent));
        Assert.Equal("A defect", store.Explain(new InvalidOperationException("Outer", new FormatException("A defect."))));

        static async Task ConnectAsync(int port)
        {
            await using var connection = new NpgsqlConnection($"Host=127.0.0.1;Port={port};Timeout=5;Pooling=false;Username=me");
            await connection.OpenAsync(Cancel);
        }
    }

    [Fact]
    public async Task InstanceThatStartsBeforeItsServerWaitsAndSaysSo()
    {
        await using var server = await TestPostgreSql.StartAsync();
        var store = new PostgreSqlTestStore(server, await server.CreateDatabaseAsync());
        await server.StopAsync();
        using var log = new CapturedLog();
        await using var instance = await JobsAtRest.BuildAsync(store, LogTo(log));

        var opening = OpenAsync(instance);
        await Eventually.TrueAsync(
            () => log.Lines.Any(line => line.StartsWith(
                $"Warning: Waiting for the PostgreSQL database '{store.Database}' on 127.0.0.1:{server.Port}: ", StringComparison.Ordinal)),
            "the instance says what it waits for");
        Assert.False(opening.IsCompleted);
        await server.StartAgainAsync();

        await opening.WaitAsync(Eventually.Deadline, Cancel);
        await instance.CreateAsync();
        Assert.DoesNotContain(log.Lines, line => line.Contains("Password", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task WaitingEndsWithTheStop()
    {
        await using var server = await TestPostgreSql.StartAsync();
        var store = new PostgreSqlTestStore(server, await server.CreateDatabaseAsync());
        await server.StopAsync();
        using var log = new CapturedLog();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        await using var instance = await JobsAtRest.BuildAsync(store, LogTo(log));
        var opening = instance.Get<ITaskStore>().OpenAsync(stop.Token);
        await Eventually.TrueAsync(() => log.Lines.Count > 0, "the instance waits");

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening.WaitAsync(Eventually.Deadline, Cancel));
    }

    [Fact]
    public async Task InstanceThatMayNotMigrateWaitsForOneThatMay()
    {
        using var log = new CapturedLog();
        await using var waiting = await JobsAtRest.BuildAsync(_store, LogTo(log), "--Storage:Migrate=false");
        var opening = OpenAsync(waiting);
        await Eventually.TrueAsync(
            () => log.Lines.Any(line => line.Contains("its schema is not up to date", StringComparison.Ordinal)),
            "the instance says what it waits for");
        Assert.False(opening.IsCompleted);
        Assert.Equal([false], await _store.AskAsync<bool>("SELECT to_regclass('scheduler.\"Tasks\"') IS NOT NULL"));

        await (await JobsAtRest.OpenAsync(_store)).DisposeAsync();

        await opening.WaitAsync(Eventually.Deadline, Cancel);
        await waiting.CreateAsync();
    }

    private static Task<bool> OpenAsync(JobsAtRest instance) => instance.Get<ITaskStore>().OpenAsync(Cancel);

    private static Action<IServiceCollection> LogTo(CapturedLog log) =>
        services => services.AddLogging(logging => logging.AddProvider(log).AddFilter("Microsoft", LogLevel.None));

    /// <summary>The line with which a start ends that uses an address other than the right one.</summary>
    private async Task<string> RefusalAsync(Action<NpgsqlConnectionStringBuilder> change)
    {
        await _store.CreateAsync(migrated: false);
        var address = new NpgsqlConnectionStringBuilder(_store.Server.ConnectionString(_store.Database));
        change(address);
        await using var instance = await JobsAtRest.BuildAsync(
            _store, null, $"--ConnectionStrings:TaskScheduler={address.ConnectionString}");
        var refused = await Assert.ThrowsAsync<StorageUnavailableException>(
            () => OpenAsync(instance).WaitAsync(Eventually.Deadline, Cancel));
        Assert.DoesNotContain(address.Password!, refused.ToString(), StringComparison.Ordinal);
        return Assert.IsType<string>(Startup.Explain(refused));
    }
}
